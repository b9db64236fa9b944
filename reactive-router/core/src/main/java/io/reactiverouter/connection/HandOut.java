package io.reactiverouter.connection;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoOperator;
import reactor.core.publisher.Operators;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.util.Logger;
import reactor.util.Loggers;
import reactor.util.context.Context;

/**
 * Gives each connection that comes out of a pool exactly one owner. r2dbc-pool takes a connection back when it is
 * cancelled, even if the connection is on its way to the subscriber at that moment; a subscriber that then released it too
 * would release what by now belongs to somebody else. Here a cancel either comes before the hand-out, and the subscriber
 * sees no connection, or after it, and the pool sees no cancel; a connection that arrives too late goes back.
 *
 * <p>Must stand directly behind the pool. It also limits the wait, with a {@link TimeoutException}, because a time limit
 * anywhere else would drop a connection that arrives together with it; and it translates errors.
 */
final class HandOut<T> extends MonoOperator<T, T> {

    private static final Logger LOG = Loggers.getLogger(HandOut.class);

    private final Duration limit;
    private final Function<? super T, ? extends Publisher<Void>> giveBack;
    private final UnaryOperator<Throwable> translate;

    HandOut(
            Mono<? extends T> pool,
            Duration limit,
            Function<? super T, ? extends Publisher<Void>> giveBack,
            UnaryOperator<Throwable> translate) {
        super(pool);
        this.limit = limit;
        this.giveBack = giveBack;
        this.translate = translate;
    }

    @Override
    public void subscribe(CoreSubscriber<? super T> actual) {
        source.subscribe(new Waiting<>(actual, this, Schedulers.parallel()));
    }

    /**
     * Its value is the state: whoever moves it to {@code ENDED} decides how the wait ends. The pool is asked once, because it
     * gives a connection for each time it is asked.
     */
    private static final class Waiting<T> extends AtomicInteger implements CoreSubscriber<T>, Subscription, Runnable {

        private static final long serialVersionUID = 1L;

        private static final int NEW = 0;
        private static final int WAITING = 1;
        private static final int ENDED = 2;

        private final transient CoreSubscriber<? super T> actual;
        private final transient HandOut<T> settings;
        private final transient Scheduler scheduler;
        private final transient Disposable.Swap timer = Disposables.swap();
        private transient @Nullable Subscription upstream;

        Waiting(CoreSubscriber<? super T> actual, HandOut<T> settings, Scheduler scheduler) {
            this.actual = actual;
            this.settings = settings;
            this.scheduler = scheduler;
        }

        @Override
        public Context currentContext() {
            return actual.currentContext();
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            if (Operators.validate(upstream, subscription)) {
                upstream = subscription;
                actual.onSubscribe(this);
            }
        }

        @Override
        public void request(long n) {
            if (Operators.validate(n) && compareAndSet(NEW, WAITING)) {
                upstream().request(Long.MAX_VALUE);
                // An idle connection has often come by now; the others need a limit.
                if (get() == WAITING) {
                    timer.update(scheduler.schedule(this, settings.limit.toNanos(), TimeUnit.NANOSECONDS));
                }
            }
        }

        @Override
        public void onNext(T connection) {
            if (end()) {
                actual.onNext(connection);
                actual.onComplete();
            } else {
                // The pool has been cancelled, but a cancel can get lost on its way there. Where it did arrive, the
                // pool has taken the connection back under a reference of which this is the second, and so void,
                // release.
                Mono.from(settings.giveBack.apply(connection))
                        .subscribe(null, error -> LOG.debug("a connection that came too late was not released", error));
            }
        }

        @Override
        public void onError(Throwable error) {
            if (end()) {
                actual.onError(settings.translate.apply(error));
            }
        }

        @Override
        public void onComplete() {
            if (end()) {
                actual.onComplete();
            }
        }

        @Override
        public void cancel() {
            if (end()) {
                upstream().cancel();
            }
        }

        @Override
        public void run() {
            if (end()) {
                upstream().cancel();
                actual.onError(
                        settings.translate.apply(new TimeoutException("no connection within " + settings.limit)));
            }
        }

        private boolean end() {
            if (getAndSet(ENDED) == ENDED) {
                return false;
            }
            timer.dispose();
            return true;
        }

        private Subscription upstream() {
            Subscription subscription = upstream;
            if (subscription == null) {
                throw new IllegalStateException("not subscribed");
            }
            return subscription;
        }
    }
}
