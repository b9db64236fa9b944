package io.reactiverouter.connection;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ValidationDepth;
import io.reactiverouter.observation.CloseReason;
import io.reactiverouter.stream.Watched;
import io.reactiverouter.stream.Watcher;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.Logger;
import reactor.util.Loggers;

/**
 * One connection to a node that independent statements share: the driver sends each when the one before it is answered. All
 * that happens on it happens on its event loop.
 *
 * <p>A statement whose caller leaves is answered all the same, and its answer dropped; nothing is cancelled on the server, where
 * another statement could be running by then. If nothing at all is answered for too long after that, the connection is cut.
 */
final class Lane {

    /** The driver takes 256, and the question whether the server still answers is one of them. */
    static final int MAX_PENDING = 250;

    /** More rows than that keep others waiting for too long. */
    static final int MAX_ROWS = 1_024;

    private static final Duration MARGIN = Duration.ofSeconds(4);
    private static final int CLOSED = Integer.MIN_VALUE;
    private static final Logger LOG = Loggers.getLogger(Lane.class);

    private final NodeConnector connector;
    private final Duration stall;
    private final Mono<SharedConnection> opening;

    /** How many statements wait or run; {@link #CLOSED} when no more can come. */
    private final AtomicInteger pending = new AtomicInteger();

    private final AtomicLong answered = new AtomicLong();
    private final AtomicBoolean asking = new AtomicBoolean();
    private final long openedAt = System.nanoTime();
    private volatile long lastUsed = openedAt;
    private volatile @Nullable SharedConnection open;
    private volatile boolean retired;

    /**
     * @param statementTimeout after which the server ends a statement
     */
    Lane(NodeConnector connector, Duration statementTimeout) {
        this.connector = connector;
        this.stall = statementTimeout.plus(MARGIN);
        this.opening = connector
                .create()
                .map(SharedConnection::new)
                .doOnNext(this::opened)
                .doOnError(error -> retired = true)
                .cache();
    }

    private void opened(SharedConnection connection) {
        open = connection;
        if (retired) {
            closeIfUnused();
        }
    }

    /** Begins to open the connection, whoever waits for it. */
    void open() {
        opening.subscribe(null, error -> LOG.debug("a shared connection could not be opened", error));
    }

    /** Says whether the connection is there. */
    boolean isOpen() {
        return open != null;
    }

    int pending() {
        return pending.get();
    }

    /** Says whether this takes no more statements. */
    boolean isOver(long now, long maxLifetimeNanos, long maxIdleNanos) {
        SharedConnection connection = open;
        if (!retired && connection != null) {
            boolean broken = connector.loop(connection.physical()) == null;
            boolean idle = pending.get() == 0 && now - lastUsed > maxIdleNanos;
            if (broken || idle || now - openedAt > maxLifetimeNanos) {
                retire(broken ? CloseReason.BROKEN : idle ? CloseReason.IDLE : CloseReason.LIFETIME);
            }
        }
        return retired;
    }

    /** Makes place for one statement, which must be run then; false if there is none. */
    boolean enter() {
        int before = pending.getAndUpdate(count -> count < 0 || count >= MAX_PENDING ? count : count + 1);
        return before >= 0 && before < MAX_PENDING;
    }

    /** Runs a statement for which there is a place. */
    <T> Flux<T> run(Function<? super Connection, ? extends Publisher<T>> work) {
        SharedConnection connection = open;
        Flux<T> answer = connection == null ? opening.flatMapMany(opened -> on(opened, work)) : on(connection, work);
        // Before the caller hears of it: what it sends next finds the place free.
        return Watched.by(context -> (end, answered, error) -> left(end, error), answer);
    }

    private <T> Flux<T> on(SharedConnection connection, Function<? super Connection, ? extends Publisher<T>> work) {
        EventLoops.ConnectionLoop loop = connector.loop(connection.physical());
        Flux<T> answer = Flux.defer(() -> whole(work.apply(connection)));
        // Where it has none any more, the driver says so.
        return loop == null ? answer : answer.subscribeOn(loop.scheduler());
    }

    /** Rows are taken as fast as they come, because others stand behind them, and delivered when all are there. */
    private static <T> Flux<T> whole(Publisher<T> answer) {
        return Flux.from(answer)
                .<List<T>>collect(ArrayList::new, (rows, row) -> {
                    if (rows.size() == MAX_ROWS) {
                        throw new IllegalStateException("more than " + MAX_ROWS
                                + " rows on a shared connection, where others wait behind them; run the query without"
                                + " shared()");
                    }
                    rows.add(row);
                })
                .flatMapIterable(rows -> rows);
    }

    private void left(Watcher.End end, @Nullable Throwable error) {
        SharedConnection connection = open;
        if (error != null && PooledExecutor.isSpoilt(error)) {
            retire(CloseReason.SPOILT);
        }
        if (end == Watcher.End.CANCEL) {
            if (connection != null) {
                ask(connection);
            }
        } else {
            answered.incrementAndGet();
            lastUsed = System.nanoTime();
            if (connection != null && !connection.physical().isAutoCommit()) {
                LOG.warn("a statement has left a transaction open on a shared connection, which is closed");
                retired = true;
                cut(connection, CloseReason.UNSETTLED);
            }
        }
        pending.decrementAndGet();
        if (retired) {
            closeIfUnused();
        }
    }

    /** Takes no more statements; the connection is closed when those that are under way have ended. */
    void retire(CloseReason reason) {
        retired = true;
        SharedConnection connection = open;
        if (connection != null) {
            connector.closing(connection.physical(), reason);
        }
        closeIfUnused();
    }

    private void closeIfUnused() {
        SharedConnection connection = open;
        if (connection != null && pending.compareAndSet(0, CLOSED)) {
            Mono.from(connection.physical().close())
                    .timeout(MARGIN)
                    .onErrorResume(error -> connector.abort(connection.physical(), CloseReason.UNSETTLED))
                    .subscribe(null, error -> LOG.debug("a shared connection could not be closed", error));
        }
    }

    /** Sees to it that the connection does not stay if the server answers nothing any more. */
    private void ask(SharedConnection connection) {
        if (asking.compareAndSet(false, true)) {
            Disposable question = Mono.from(connection.physical().validate(ValidationDepth.REMOTE))
                    .doFinally(end -> {
                        answered.incrementAndGet();
                        asking.set(false);
                    })
                    .subscribe(
                            answer -> {
                                if (!answer) {
                                    retire(CloseReason.BROKEN);
                                }
                            },
                            error -> retire(CloseReason.BROKEN));
            watch(connection, question, answered.get());
        }
    }

    private void watch(SharedConnection connection, Disposable question, long before) {
        Mono.delay(stall).subscribe(later -> {
            if (question.isDisposed()) {
                return;
            }
            long now = answered.get();
            if (now == before) {
                LOG.warn("a shared connection has answered nothing for {}, and is closed", stall);
                retired = true;
                cut(connection, CloseReason.UNSETTLED);
            } else {
                watch(connection, question, now);
            }
        });
    }

    private void cut(SharedConnection connection, CloseReason reason) {
        connector
                .abort(connection.physical(), reason)
                .subscribe(null, error -> LOG.debug("a shared connection could not be cut", error));
    }
}
