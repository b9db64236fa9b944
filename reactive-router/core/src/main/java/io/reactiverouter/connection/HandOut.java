package io.reactiverouter.connection;

import io.netty.util.Timeout;
import io.netty.util.Timer;
import io.netty.util.TimerTask;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoOperator;
import reactor.core.publisher.Operators;
import reactor.util.Logger;
import reactor.util.Loggers;
import reactor.util.context.Context;

/**
 * Gives each connection that comes out of a pool exactly one owner. A pool takes a connection back when it is cancelled, perhaps
 * even if the connection is on its way to the subscriber at that moment. Here a cancel either comes before the hand-out, and the
 * subscriber sees no connection, or after it, and the pool sees no cancel; a connection that arrives too late goes back.
 *
 * <p>Must stand directly behind the pool. It also limits the wait, with a {@link TimeoutException} or at the subscriber's
 * {@link Deadline}, because a time limit anywhere else would drop a connection that arrives together with it; it translates
 * errors; and it prepares connections, inside of that limit, since a connection has no owner yet who could give it back.
 */
final class HandOut<T> extends MonoOperator<T, T> {

    private static final Logger LOG = Loggers.getLogger(HandOut.class);

    private final Duration limit;
    private final Function<? super T, ? extends Publisher<Void>> giveBack;
    private final UnaryOperator<Throwable> translate;
    private final Preparation<T> preparation;
    private final Waits waits;

    /** Looked up here, because a timer takes its time to start. */
    private final Timer timer = TimeLimits.TIMER;

    HandOut(
            Mono<? extends T> pool,
            Duration limit,
            Function<? super T, ? extends Publisher<Void>> giveBack,
            UnaryOperator<Throwable> translate,
            Preparation<T> preparation,
            Waits waits) {
        super(pool);
        this.limit = limit;
        this.giveBack = giveBack;
        this.translate = translate;
        this.preparation = preparation;
        this.waits = waits;
    }

    /** What is done with a connection before somebody gets it. */
    interface Preparation<T> {

        /** Returns what has to be done with a connection for somebody with this deadline, null if nothing has. */
        @Nullable Mono<Void> of(T connection, @Nullable Deadline deadline);

        /** Gives back a connection whose preparation has failed, or is still going on. */
        Mono<Void> giveBack(T connection);

        /** Returns the error of somebody whose deadline has come. */
        Throwable late(Deadline deadline);
    }

    /** Hears of the end of each wait but those that somebody leaves. Must not throw. */
    interface Waits {

        /** Does not even look at the clock. */
        Waits UNHEARD = (nanos, error) -> {};

        /** Told that a wait has ended, with a connection if {@code error} is null. */
        void ended(long nanos, @Nullable Throwable error);
    }

    @Override
    public void subscribe(CoreSubscriber<? super T> actual) {
        source.subscribe(new Waiting<>(actual, this));
    }

    /**
     * Its value is the state: whoever moves it to {@code ENDED} decides how the wait ends. The pool is asked once, because it
     * gives a connection for each time it is asked. When it has given one it must hear of no cancel any more.
     */
    private static final class Waiting<T> extends AtomicInteger implements CoreSubscriber<T>, Subscription, TimerTask {

        private static final long serialVersionUID = 1L;

        private static final int NEW = 0;
        private static final int WAITING = 1;
        private static final int PREPARING = 2;
        private static final int ENDED = 3;

        private final transient CoreSubscriber<? super T> actual;
        private final transient HandOut<T> settings;
        private final transient @Nullable Deadline deadline;
        private final long start;
        private transient volatile @Nullable Timeout timer;
        private transient @Nullable Subscription upstream;
        private transient @Nullable T connection;

        Waiting(CoreSubscriber<? super T> actual, HandOut<T> settings) {
            this.actual = actual;
            this.settings = settings;
            this.deadline = Deadline.of(actual.currentContext());
            this.start = settings.waits == Waits.UNHEARD ? 0 : System.nanoTime();
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
            if (!Operators.validate(n) || !compareAndSet(NEW, WAITING)) {
                return;
            }
            if (deadline != null && deadline.isOver()) {
                timeIsUp();
                return;
            }
            upstream().request(Long.MAX_VALUE);
            // One that has come by now, on this thread, needs no limit.
            if (get() != ENDED) {
                long limit = settings.limit.toNanos();
                long nanos = deadline == null ? limit : Math.min(limit, deadline.remainingNanos());
                Timeout set = settings.timer.newTimeout(this, nanos, TimeUnit.NANOSECONDS);
                timer = set;
                if (get() == ENDED) {
                    set.cancel();
                }
            }
        }

        @Override
        public void onNext(T given) {
            Mono<Void> first = settings.preparation.of(given, deadline);
            if (first == null) {
                if (end() != ENDED) {
                    handOut(given);
                } else {
                    tooLate(given);
                }
                return;
            }
            // Before the state says that it is there.
            connection = given;
            if (compareAndSet(WAITING, PREPARING)) {
                first.subscribe(new Preparing<>(this));
            } else {
                tooLate(given);
            }
        }

        private void handOut(T given) {
            heard(null);
            actual.onNext(given);
            actual.onComplete();
        }

        private void fail(Throwable error) {
            heard(error);
            actual.onError(error);
        }

        private void heard(@Nullable Throwable error) {
            if (settings.waits != Waits.UNHEARD) {
                settings.waits.ended(System.nanoTime() - start, error);
            }
        }

        /**
         * The pool has been cancelled, but a cancel can get lost on its way there. Where it did arrive, the pool has taken the
         * connection back under a reference of which this is the second, and so void, release.
         */
        private void tooLate(T given) {
            Mono.from(settings.giveBack.apply(given))
                    .subscribe(null, error -> LOG.debug("a connection that came too late was not released", error));
        }

        void prepared() {
            if (end() != ENDED) {
                handOut(given());
            }
        }

        void notPrepared(Throwable error) {
            if (end() != ENDED) {
                giveBack();
                fail(settings.translate.apply(error));
            }
        }

        private T given() {
            return Objects.requireNonNull(connection, "no connection has been given");
        }

        private void giveBack() {
            settings.preparation
                    .giveBack(given())
                    .subscribe(null, error -> LOG.debug("a connection in preparation was not released", error));
        }

        @Override
        public void onError(Throwable error) {
            if (get() != PREPARING && end() != ENDED) {
                fail(settings.translate.apply(error));
            }
        }

        @Override
        public void onComplete() {
            if (get() != PREPARING && end() != ENDED) {
                actual.onComplete();
            }
        }

        @Override
        public void cancel() {
            leave(end());
        }

        @Override
        public void run(Timeout timeout) {
            timeIsUp();
        }

        private void timeIsUp() {
            int before = end();
            leave(before);
            if (before != ENDED) {
                fail(
                        deadline != null && deadline.isOver()
                                ? settings.preparation.late(deadline)
                                : settings.translate.apply(
                                        new TimeoutException("no connection within " + settings.limit)));
            }
        }

        private void leave(int before) {
            if (before == PREPARING) {
                giveBack();
            } else if (before != ENDED) {
                upstream().cancel();
            }
        }

        /** Returns the state before; {@code ENDED} if it was so already. */
        private int end() {
            int before = getAndSet(ENDED);
            Timeout set = timer;
            if (before != ENDED && set != null) {
                set.cancel();
            }
            return before;
        }

        private Subscription upstream() {
            Subscription subscription = upstream;
            if (subscription == null) {
                throw new IllegalStateException("not subscribed");
            }
            return subscription;
        }
    }

    /** Never cancelled: what it has sent gets its answer in any case, and whoever gives the connection back waits for that. */
    private record Preparing<T>(Waiting<T> waiting) implements CoreSubscriber<Void> {

        @Override
        public void onSubscribe(Subscription subscription) {
            subscription.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(Void nothing) {
            // There is none.
        }

        @Override
        public void onError(Throwable error) {
            waiting.notPrepared(error);
        }

        @Override
        public void onComplete() {
            waiting.prepared();
        }
    }
}
