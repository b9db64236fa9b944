package io.reactiverouter.connection;

import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.R2dbcNonTransientResourceException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * Counts the logins to a node that are under way. One that takes long is counted no more, since it waits and costs nothing: those
 * that hang must not keep others from being begun, which the node may answer by now.
 *
 * <p>Where the server has refused one because it has no place left, or does not serve yet, others fail without being sent for a
 * while: each costs it a process and its client the computation of a password's proof, on an event loop that other nodes need too.
 */
final class Logins {

    static final Duration LONG = Duration.ofMillis(500);

    /** How long none is sent after a refusal. */
    static final Duration PAUSE = Duration.ofMillis(200);

    /** No connection left for anybody, or for this login; starting up or shutting down. */
    private static final Set<String> REFUSALS = Set.of("53300", "57P03");

    private final AtomicInteger counted = new AtomicInteger();
    private volatile Runnable whenFree = () -> {};
    private volatile @Nullable Refusal refusal;

    /** Has {@code action} run, which must not throw, whenever a login takes long or a pause ends. */
    void whenFree(Runnable action) {
        whenFree = action;
    }

    int count() {
        return counted.get();
    }

    /** Says whether the server has refused one so shortly ago that none is sent. */
    boolean pause() {
        return current() != null;
    }

    private @Nullable Refusal current() {
        Refusal last = refusal;
        return last == null || last.end() - System.nanoTime() <= 0 ? null : last;
    }

    /** Returns {@code login}, counted from its subscription on. */
    <T> Mono<T> counting(Mono<T> login) {
        return Mono.using(Counted::new, begun -> login, Counted::end);
    }

    /** Returns {@code login}, which fails in a pause and whose refusals begin one. */
    <T> Mono<T> sparing(Mono<T> login) {
        return Mono.defer(() -> {
            Refusal last = current();
            return last == null
                    ? login.doOnError(R2dbcException.class, this::failed)
                    // Not at once: the pool may be in the middle of something.
                    : Mono.<T>error(last.again()).publishOn(Schedulers.parallel());
        });
    }

    private void failed(R2dbcException error) {
        if (error.getSqlState() != null && REFUSALS.contains(error.getSqlState())) {
            refusal = new Refusal(error, System.nanoTime() + PAUSE.toNanos());
            Schedulers.parallel().schedule(() -> whenFree.run(), PAUSE.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    /**
     * What the server has said.
     *
     * @param end in the time of {@link System#nanoTime()}
     */
    private record Refusal(R2dbcException error, long end) {

        /** One for each caller, who may add to it. */
        R2dbcException again() {
            return new R2dbcNonTransientResourceException(
                    error.getMessage() + " (less than " + PAUSE.toMillis()
                            + " ms ago; the node is not asked again so soon)",
                    error.getSqlState(),
                    error);
        }
    }

    private final class Counted extends AtomicBoolean implements Runnable {

        private static final long serialVersionUID = 1L;

        private final transient Disposable timer;

        Counted() {
            counted.incrementAndGet();
            timer = Schedulers.parallel().schedule(this, LONG.toMillis(), TimeUnit.MILLISECONDS);
        }

        @Override
        public void run() {
            if (compareAndSet(false, true)) {
                counted.decrementAndGet();
                whenFree.run();
            }
        }

        void end() {
            if (compareAndSet(false, true)) {
                counted.decrementAndGet();
                timer.dispose();
            }
        }
    }
}
