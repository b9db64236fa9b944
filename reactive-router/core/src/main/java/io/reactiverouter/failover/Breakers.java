package io.reactiverouter.failover;

import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowSynchronizationStrategy;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import io.reactiverouter.connection.AcquireTimeoutException;
import io.reactiverouter.connection.CallTimeoutException;
import io.reactiverouter.routing.PrimaryFinder;
import io.reactiverouter.routing.RoutingTable;
import io.reactiverouter.topology.Node;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.Shard;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * A circuit breaker for each node that reads go to: half of the last twenty reads failed with the node, and it is left out for
 * five seconds, then tried by three. Not in the path of calls to primaries, which have no other node to go to.
 */
final class Breakers {

    private static final int WINDOW = 20;
    private static final int MINIMUM = 10;
    private static final int TRIALS = 3;
    private static final float FAILURE_RATE = 50;
    private static final Duration OPEN = Duration.ofSeconds(5);

    private final Map<NodeId, CircuitBreaker> breakers;

    Breakers(RoutingTable table, PrimaryFinder finder) {
        CircuitBreakerConfig config = CircuitBreakerConfig.custom()
                // The other strategy takes a lock, on the event loop.
                .slidingWindow(
                        WINDOW, MINIMUM, SlidingWindowType.COUNT_BASED, SlidingWindowSynchronizationStrategy.LOCK_FREE)
                .failureRateThreshold(FAILURE_RATE)
                .waitDurationInOpenState(OPEN)
                .permittedNumberOfCallsInHalfOpenState(TRIALS)
                .recordException(Breakers::isOfTheNode)
                // They say as little as a cancel.
                .ignoreExceptions(CallTimeoutException.class)
                .writableStackTraceEnabled(false)
                .build();
        Map<NodeId, CircuitBreaker> made = new HashMap<>();
        for (Shard shard : table.shards()) {
            for (Node node : shard.nodes()) {
                CircuitBreaker breaker = CircuitBreaker.of(node.id().toString(), config);
                breaker.getEventPublisher().onStateTransition(event -> {
                    boolean open = event.getStateTransition().getToState() == CircuitBreaker.State.OPEN;
                    finder.tripped(node.id(), open);
                    if (open) {
                        tryLater(breaker);
                    }
                });
                made.put(node.id(), breaker);
            }
        }
        this.breakers = Map.copyOf(made);
    }

    /** By itself it would only do so when it is asked, and as long as the node is ejected nobody asks. */
    private static void tryLater(CircuitBreaker breaker) {
        Mono.delay(OPEN).subscribe(now -> {
            if (breaker.getState() == CircuitBreaker.State.OPEN) {
                breaker.transitionToHalfOpenState();
            }
        });
    }

    private static boolean isOfTheNode(Throwable error) {
        return FailureKind.of(error).isOfTheNode() || error instanceof AcquireTimeoutException;
    }

    /** Says whether a node may be tried; if so, what {@link #watch} returns must be subscribed to. */
    boolean permits(NodeId node) {
        return breaker(node).tryAcquirePermission();
    }

    /** Takes back that a node may be tried. */
    void release(NodeId node) {
        breaker(node).releasePermission();
    }

    /** Counts how it ends. A cancel says that the node answers if it has delivered something by then, and otherwise nothing. */
    <T> Flux<T> watch(NodeId node, Flux<T> answer) {
        CircuitBreaker breaker = breaker(node);
        long start = System.nanoTime();
        AtomicBoolean answered = new AtomicBoolean();
        return answer.doOnNext(row -> answered.setPlain(true))
                .doOnError(error -> breaker.onError(System.nanoTime() - start, TimeUnit.NANOSECONDS, error))
                .doOnComplete(() -> breaker.onSuccess(System.nanoTime() - start, TimeUnit.NANOSECONDS))
                .doOnCancel(() -> {
                    if (answered.get()) {
                        breaker.onSuccess(System.nanoTime() - start, TimeUnit.NANOSECONDS);
                    } else {
                        breaker.releasePermission();
                    }
                });
    }

    private CircuitBreaker breaker(NodeId node) {
        CircuitBreaker breaker = breakers.get(node);
        if (breaker == null) {
            throw new IllegalArgumentException("node " + node + " is not part of this cluster");
        }
        return breaker;
    }
}
