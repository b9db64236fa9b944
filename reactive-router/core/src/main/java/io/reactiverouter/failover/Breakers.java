package io.reactiverouter.failover;

import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowSynchronizationStrategy;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.connection.AcquireTimeoutException;
import io.reactiverouter.connection.NotPrimaryException;
import io.reactiverouter.routing.PrimaryFinder;
import io.reactiverouter.routing.RoutingTable;
import io.reactiverouter.stream.Watched;
import io.reactiverouter.stream.Watcher;
import io.reactiverouter.topology.Node;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.Shard;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * A circuit breaker for each node: half of its last twenty calls failed with the node, and it is ejected for five seconds, then
 * tried by three. Reads that may go to other nodes leave an ejected one out; calls that only a primary can do count, and go
 * there all the same as long as it answers probes: there is no other to go to.
 */
final class Breakers {

    private static final int WINDOW = 20;
    private static final int MINIMUM = 10;
    private static final int TRIALS = 3;
    private static final float FAILURE_RATE = 50;
    private static final Duration OPEN = Duration.ofSeconds(5);

    private final Map<NodeId, NodeBreaker> breakers;

    Breakers(RoutingTable table, PrimaryFinder finder) {
        CircuitBreakerConfig config = CircuitBreakerConfig.custom()
                // The other strategy takes a lock, on the event loop.
                .slidingWindow(
                        WINDOW, MINIMUM, SlidingWindowType.COUNT_BASED, SlidingWindowSynchronizationStrategy.LOCK_FREE)
                .failureRateThreshold(FAILURE_RATE)
                .waitDurationInOpenState(OPEN)
                .permittedNumberOfCallsInHalfOpenState(TRIALS)
                .writableStackTraceEnabled(false)
                .build();
        Map<NodeId, NodeBreaker> made = new HashMap<>();
        for (Shard shard : table.shards()) {
            for (Node node : shard.nodes()) {
                made.put(node.id(), new NodeBreaker(node.id(), config, finder));
            }
        }
        this.breakers = Map.copyOf(made);
    }

    /** Says whether a node may be tried; if so, what {@link #watchPermitted} returns must be subscribed to. */
    boolean permits(NodeId node) {
        return of(node).permits();
    }

    /** Takes back that a node may be tried. */
    void release(NodeId node) {
        of(node).breaker.releasePermission();
    }

    /** Counts how a call ends for which nobody was asked. */
    <T> Flux<T> watch(NodeId node, Flux<T> answer) {
        NodeBreaker of = of(node);
        return Watched.by(context -> of.watch(false), answer);
    }

    /** Counts how a call ends that {@link #permits} has let pass. */
    <T> Flux<T> watchPermitted(NodeId node, Flux<T> answer) {
        NodeBreaker of = of(node);
        return Watched.by(context -> of.watch(true), answer);
    }

    /** Returns which part of the calls that count failed with the node, from 0 to 1. */
    double errorRate(NodeId node) {
        CircuitBreaker.Metrics metrics = of(node).breaker.getMetrics();
        int calls = metrics.getNumberOfBufferedCalls();
        return calls == 0 ? 0 : Math.min(1, (double) metrics.getNumberOfFailedCalls() / calls);
    }

    private NodeBreaker of(NodeId node) {
        NodeBreaker found = breakers.get(node);
        if (found == null) {
            throw new IllegalArgumentException("node " + node + " is not part of this cluster");
        }
        return found;
    }

    /**
     * The breaker of one node. Somebody who listens to it would have it make an event of each call: its state is looked at
     * instead, after whatever can change it.
     */
    private static final class NodeBreaker {

        private final NodeId node;
        private final CircuitBreaker breaker;
        private final PrimaryFinder finder;
        private final AtomicReference<CircuitBreaker.State> seen = new AtomicReference<>(CircuitBreaker.State.CLOSED);

        /** How often its state has changed. */
        private final AtomicInteger changes = new AtomicInteger();

        /** Whether it will be tried at some time. */
        private final AtomicBoolean waiting = new AtomicBoolean();

        /** How many calls have succeeded since the last one that failed; when they fill the window they are counted no further. */
        private final AtomicInteger successes = new AtomicInteger();

        /** Of calls that begin while the breaker is closed. */
        private volatile Watch usual = new Watch(this, false, false, 0);

        NodeBreaker(NodeId node, CircuitBreakerConfig config, PrimaryFinder finder) {
            this.node = node;
            this.breaker = CircuitBreaker.of(node.toString(), config);
            this.finder = finder;
        }

        boolean permits() {
            boolean permits = breaker.tryAcquirePermission();
            look();
            return permits;
        }

        void succeeded() {
            // One more in a window that has nothing else changes nothing. The breaker's window is a linked list, which,
            // call
            // after call, would lead every garbage collection through all that have ended since the last.
            if (successes.get() >= WINDOW && breaker.getState() == CircuitBreaker.State.CLOSED) {
                return;
            }
            successes.incrementAndGet();
            // How long it took does not count: the time includes what its reader did.
            breaker.onSuccess(0, TimeUnit.NANOSECONDS);
            look();
        }

        void failed(Throwable error) {
            breaker.onError(0, TimeUnit.NANOSECONDS, error);
            // Afterwards: a window of successes has to come behind it.
            successes.set(0);
            look();
            // Nobody may have seen that it was closed in between.
            tryLater();
        }

        Watch watch(boolean permitted) {
            CircuitBreaker.State state = breaker.getState();
            int change = changes.get();
            if (permitted || state != CircuitBreaker.State.CLOSED) {
                return new Watch(this, permitted, state == CircuitBreaker.State.HALF_OPEN, change);
            }
            Watch watch = usual;
            if (watch.change != change) {
                watch = new Watch(this, false, false, change);
                usual = watch;
            }
            return watch;
        }

        private void look() {
            CircuitBreaker.State before;
            CircuitBreaker.State now;
            do {
                // In this order: what is seen now is no older than what was seen before.
                before = seen.get();
                now = breaker.getState();
                if (now == before) {
                    return;
                }
            } while (!seen.compareAndSet(before, now));
            changes.incrementAndGet();
            // A breaker that changes begins a new window.
            successes.set(0);
            CircuitBreaker.State told;
            do {
                // Again if another thread has seen something newer, and perhaps told of it before this one.
                told = seen.get();
                finder.tripped(node, told == CircuitBreaker.State.OPEN);
            } while (seen.get() != told);
            tryLater();
        }

        /** By itself it would only do so when it is asked, and as long as the node is ejected nobody asks. */
        private void tryLater() {
            if (breaker.getState() != CircuitBreaker.State.OPEN || !waiting.compareAndSet(false, true)) {
                return;
            }
            int opened = changes.get();
            Mono.delay(OPEN).subscribe(now -> {
                waiting.set(false);
                if (changes.get() == opened && breaker.getState() == CircuitBreaker.State.OPEN) {
                    breaker.transitionToHalfOpenState();
                    look();
                }
                // If it has been opened anew meanwhile.
                tryLater();
            });
        }
    }

    /**
     * How one call ends. It counts as answered when it completes or the server says something about it. A cancel, by its
     * subscriber or by a time limit, says that the node answers if it has delivered something by then. Everything else says
     * nothing of the node: a full queue, an error of the caller's own, or that the node has lost the writes. A call that began
     * before the state of the breaker changed is no trial of what the node has become since. A trial always counts, or nobody
     * would get its place: the state changes a moment before that is heard of.
     */
    private record Watch(NodeBreaker of, boolean permitted, boolean trial, int change) implements Watcher {

        @Override
        public void ended(End end, boolean answered, @Nullable Throwable error) {
            if (!trial && of.changes.get() != change) {
                return;
            }
            if (error == null ? end == End.COMPLETE || answered : isAnswer(error)) {
                of.succeeded();
            } else if (error != null && isOfTheNode(error)) {
                of.failed(error);
            } else if (permitted) {
                of.breaker.releasePermission();
            }
        }

        private static boolean isOfTheNode(Throwable error) {
            return !(error instanceof NotPrimaryException)
                    && (FailureKind.of(error).isOfTheNode() || error instanceof AcquireTimeoutException);
        }

        private static boolean isAnswer(Throwable error) {
            return error instanceof R2dbcException refusal
                    && refusal.getSqlState() != null
                    && !FailureKind.of(error).isOfTheNode();
        }
    }
}
