package io.reactiverouter.failover;

import io.r2dbc.spi.Connection;
import io.reactiverouter.connection.AcquireTimeoutException;
import io.reactiverouter.connection.ShardExecutor;
import io.reactiverouter.routing.RoutingTable;
import io.reactiverouter.stream.Resume;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Lets calls wait for their shard's primary while it is being replaced. A call that could not even get its connection has
 * provably not run: it is made again on the node that has the writes then. Once its work has begun, its errors pass through.
 */
public final class FailoverExecutor implements ShardExecutor {

    private static final Duration FIRST_PAUSE = Duration.ofMillis(20);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);

    private final ShardExecutor delegate;
    private final RoutingTable table;
    private final FailoverSettings settings;
    private final Function<ShardId, Mono<NodeId>> primaries;
    private final Consumer<NodeId> suspects;
    private final Map<ShardId, AtomicInteger> waiting = new ConcurrentHashMap<>();

    /**
     * @param primaries gives the primary of a shard as soon as one answers, however long that takes
     * @param suspects told of nodes that calls have found something wrong with
     */
    public FailoverExecutor(
            ShardExecutor delegate,
            RoutingTable table,
            FailoverSettings settings,
            Function<ShardId, Mono<NodeId>> primaries,
            Consumer<NodeId> suspects) {
        this.delegate = delegate;
        this.table = table;
        this.settings = settings;
        this.primaries = primaries;
        this.suspects = suspects;
        table.shards().forEach(shard -> waiting.put(shard.id(), new AtomicInteger()));
    }

    @Override
    public <T> Flux<T> execute(
            NodeId node, Residue residue, Function<? super Connection, ? extends Publisher<T>> work) {
        return Flux.defer(() -> {
            Call<T> call = new Call<>(node, start -> delegate.execute(start.node(), residue, start.noting(work)));
            return Resume.of(call.first(), call::next);
        });
    }

    /** Hands out a connection like {@code acquire}, which hands out one of a node, and waits likewise. */
    public Mono<Connection> acquire(NodeId node, Function<NodeId, Mono<Connection>> acquire) {
        return Flux.defer(() -> {
                    Call<Connection> call = new Call<>(
                            node, start -> acquire.apply(start.node()).flux());
                    return Resume.of(call.first(), call::next);
                })
                .next();
    }

    /** One attempt of a call. */
    private static final class Start {

        private final NodeId node;
        private volatile boolean begun;

        Start(NodeId node) {
            this.node = node;
        }

        NodeId node() {
            return node;
        }

        <T> Function<Connection, Publisher<T>> noting(Function<? super Connection, ? extends Publisher<T>> work) {
            return connection -> {
                begun = true;
                return work.apply(connection);
            };
        }
    }

    private final class Call<T> {

        private final Function<Start, Flux<T>> attempt;
        private Start last;
        private @Nullable Throwable firstError;
        private long waitingSince;
        private int attempts;

        Call(NodeId node, Function<Start, Flux<T>> attempt) {
            this.attempt = attempt;
            this.last = new Start(node);
        }

        Flux<T> first() {
            // A node that is known to be down would only keep its callers waiting, and its pool's connections busy.
            return table.isEjected(last.node()) && !settings.maxWait().isZero() ? afterWait(null) : attempt.apply(last);
        }

        /** Returns what comes in place of an attempt that has failed; null if nothing does. */
        @Nullable Flux<T> next(Throwable error) {
            NodeId node = last.node();
            if (Failures.isSuspicious(error)) {
                suspects.accept(node);
            }
            boolean again = !last.begun && !(error instanceof NoPrimaryException) && canMove(node, error);
            return again && !settings.maxWait().isZero() ? afterWait(error) : null;
        }

        /** A full pool of a node that answers is no reason to wait any longer. */
        private boolean canMove(NodeId node, Throwable error) {
            return Failures.isOfTheNode(error)
                    || (error instanceof AcquireTimeoutException
                            && (table.isEjected(node)
                                    || !table.primary(node.shard()).equals(node)));
        }

        private Flux<T> afterWait(@Nullable Throwable error) {
            ShardId shard = last.node().shard();
            long now = System.nanoTime();
            if (firstError == null && attempts == 0) {
                firstError = error;
                waitingSince = now;
            }
            attempts++;
            Duration waited = Duration.ofNanos(now - waitingSince);
            Duration left = settings.maxWait().minus(waited);
            if (left.isNegative() || left.isZero()) {
                return Flux.error(gaveUp(shard, waited));
            }
            AtomicInteger others = waiting.get(shard);
            if (others == null) {
                return Flux.error(new IllegalArgumentException("shard " + shard + " is not part of the cluster"));
            }
            if (others.incrementAndGet() > settings.maxWaiting()) {
                others.decrementAndGet();
                return Flux.error(new NoPrimaryException(
                        shard,
                        waited,
                        settings.maxWaiting() + " calls wait for one already, the limit of the failover settings",
                        error));
            }
            return Mono.delay(pause())
                    .then(Mono.defer(() -> primaries.apply(shard)))
                    .timeout(left)
                    .onErrorMap(TimeoutException.class, late -> gaveUp(shard, settings.maxWait()))
                    .doFinally(end -> others.decrementAndGet())
                    .flatMapMany(found -> {
                        last = new Start(found);
                        return attempt.apply(last);
                    });
        }

        /** A node that answers probes and refuses connections must not be asked in a tight loop. */
        private Duration pause() {
            long nanos = Math.min(LONGEST_PAUSE.toNanos(), FIRST_PAUSE.toNanos() << Math.min(attempts - 1, 10));
            return Duration.ofNanos(nanos / 2 + ThreadLocalRandom.current().nextLong(nanos / 2));
        }

        private NoPrimaryException gaveUp(ShardId shard, Duration waited) {
            return new NoPrimaryException(shard, waited, "waited " + waited + " for one", firstError);
        }
    }
}
