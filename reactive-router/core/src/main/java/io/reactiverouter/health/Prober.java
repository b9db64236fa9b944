package io.reactiverouter.health;

import io.r2dbc.spi.Connection;
import io.reactiverouter.connection.NodePools;
import io.reactiverouter.topology.NodeId;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Asks one node, over a connection of its own that stays open. Those who ask while an answer is under way get that answer.
 */
final class Prober {

    private final NodeId node;
    private final NodePools pools;
    private final Duration timeout;
    private final Consumer<ProbeAnswer> answered;
    private final Consumer<Throwable> failed;
    private final AtomicReference<@Nullable Mono<ProbeAnswer>> underWay = new AtomicReference<>();
    private final AtomicReference<@Nullable Connection> open = new AtomicReference<>();
    private volatile boolean closed;

    /** Answers and failures are told once each, however many have asked. */
    Prober(NodeId node, NodePools pools, Duration timeout, Consumer<ProbeAnswer> answered, Consumer<Throwable> failed) {
        this.node = node;
        this.pools = pools;
        this.timeout = timeout;
        this.answered = answered;
        this.failed = failed;
    }

    /** Returns what the node says now; fails if it says nothing in time. A cancel changes nothing for others who ask. */
    Mono<ProbeAnswer> probe() {
        return Mono.defer(() -> {
            Mono<ProbeAnswer> mine = Mono.defer(this::ask)
                    .timeout(timeout, Mono.error(() -> new TimeoutException("no answer within " + timeout)))
                    .onErrorResume(error -> cut().then(Mono.error(error)))
                    .doOnNext(answered)
                    .doOnError(failed)
                    .doFinally(end -> underWay.set(null))
                    // Goes on to its end whoever leaves: a connection that has been asked must be read.
                    .cache();
            Mono<ProbeAnswer> others = underWay.compareAndExchange(null, mine);
            return others == null ? mine : others;
        });
    }

    private Mono<ProbeAnswer> ask() {
        Connection known = open.get();
        return known == null
                ? Mono.from(pools.apart(node)).doOnNext(this::opened).flatMap(this::ask)
                : ask(known);
    }

    private Mono<ProbeAnswer> ask(Connection connection) {
        return Mono.defer(() -> {
            long start = System.nanoTime();
            return Flux.from(connection.createStatement(ProbeAnswer.QUERY).execute())
                    .flatMap(result ->
                            result.map(row -> ProbeAnswer.of(row, Duration.ofNanos(System.nanoTime() - start))))
                    .single();
        });
    }

    private void opened(Connection connection) {
        open.set(connection);
        if (closed) {
            cut().subscribe(null, error -> {});
        }
    }

    private Mono<Void> cut() {
        Connection connection = open.getAndSet(null);
        return connection == null ? Mono.empty() : pools.cut(node, connection);
    }

    /** Closes the connection; what is asked later opens none that stays. */
    Mono<Void> close() {
        return Mono.defer(() -> {
            closed = true;
            return cut();
        });
    }
}
