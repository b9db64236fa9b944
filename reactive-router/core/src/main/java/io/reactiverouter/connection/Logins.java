package io.reactiverouter.connection;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * Counts the logins to a node that are under way. One that takes long is counted no more, since it waits and costs nothing: those
 * that hang must not keep others from being begun, which the node may answer by now.
 */
final class Logins {

    static final Duration LONG = Duration.ofMillis(500);

    private final AtomicInteger counted = new AtomicInteger();
    private volatile Runnable whenLong = () -> {};

    /** Has {@code action} run, which must not throw, whenever a login takes long. */
    void whenLong(Runnable action) {
        whenLong = action;
    }

    int count() {
        return counted.get();
    }

    /** Returns {@code login}, counted from its subscription on. */
    <T> Mono<T> counting(Mono<T> login) {
        return Mono.using(Counted::new, begun -> login, Counted::end);
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
                whenLong.run();
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
