package io.reactiverouter.health;

import io.r2dbc.spi.Connection;
import io.reactiverouter.connection.ClusterClosedException;
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
 * Asks one node, over a connection of its own that stays open. Those who ask while an answer is under way get that answer, and
 * between two of them there is a pause, however many ask.
 */
final class Prober {

    private static final Duration PAUSE = Duration.ofMillis(100);

    private final NodeId node;
    private final NodePools pools;
    private final Duration timeout;
    private final Consumer<ProbeAnswer> answered;
    private final Consumer<Throwable> failed;
    private final AtomicReference<@Nullable Mono<ProbeAnswer>> underWay = new AtomicReference<>();
    private final AtomicReference<@Nullable Connection> open = new AtomicReference<>();
    private volatile long lastEnd = System.nanoTime() - PAUSE.toNanos();
    private volatile boolean closed;

    /** Answers and failures are told once each, however many have asked, and none after {@link #close}. */
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
            Mono<ProbeAnswer> mine = paused().then(Mono.defer(this::ask))
                    .doOnNext(answer -> {
                        if (!closed) {
                            answered.accept(answer);
                        }
                    })
                    .doOnError(error -> {
                        cut();
                        if (!closed) {
                            failed.accept(error);
                        }
                    })
                    .doFinally(end -> {
                        lastEnd = System.nanoTime();
                        underWay.set(null);
                    })
                    // Goes on to its end whoever leaves: a connection that has been asked must be read.
                    .cache();
            Mono<ProbeAnswer> others = underWay.compareAndExchange(null, mine);
            return others == null ? mine : others;
        });
    }

    private Mono<Void> paused() {
        return Mono.defer(() -> {
            long left = PAUSE.toNanos() - (System.nanoTime() - lastEnd);
            return left <= 0 ? Mono.empty() : Mono.delay(Duration.ofNanos(left)).then();
        });
    }

    private Mono<ProbeAnswer> ask() {
        if (closed) {
            return Mono.error(new ClusterClosedException());
        }
        Connection known = open.get();
        Mono<ProbeAnswer> answer = known == null
                ? askAnew()
                : ask(known)
                        // The server may have closed it while it was idle: that says nothing about a new one.
                        .onErrorResume(error -> {
                            cut();
                            return askAnew();
                        });
        return answer.timeout(timeout, Mono.error(() -> new TimeoutException("no answer within " + timeout)));
    }

    private Mono<ProbeAnswer> askAnew() {
        return pools.apart(node).doOnNext(this::opened).flatMap(this::ask);
    }

    private Mono<ProbeAnswer> ask(Connection connection) {
        return Mono.defer(() -> {
            long start = System.nanoTime();
            return Flux.from(connection.createStatement(ProbeAnswer.QUERY).execute())
                    .flatMap(result ->
                            result.map(row -> ProbeAnswer.of(row, Duration.ofNanos(System.nanoTime() - start))))
                    .single()
                    // The driver keeps the rows of a statement that is left; this one ends with its connection at the
                    // latest.
                    .cache();
        });
    }

    private void opened(Connection connection) {
        cut(open.getAndSet(connection));
        if (closed) {
            cut();
        }
    }

    private void cut() {
        cut(open.getAndSet(null));
    }

    /** Nobody waits for it: its event loop may be what hangs. */
    private void cut(@Nullable Connection connection) {
        if (connection != null) {
            pools.cut(node, connection).subscribe(null, error -> {});
        }
    }

    /** Closes the connection; what is asked later fails. */
    Mono<Void> close() {
        return Mono.defer(() -> {
            closed = true;
            Connection connection = open.getAndSet(null);
            return connection == null ? Mono.empty() : pools.cut(node, connection);
        });
    }
}
