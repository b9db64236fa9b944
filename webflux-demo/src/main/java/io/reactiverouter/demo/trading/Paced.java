package io.reactiverouter.demo.trading;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxOperator;
import reactor.core.publisher.Operators;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.util.context.Context;

/**
 * Asks for the elements of a stream at a pace, whatever its subscriber asks for: a source that heeds demand sends no more. Keeps
 * no element back, and passes a cancel on at once.
 */
final class Paced<T> extends FluxOperator<T, T> {

    private static final long STEPS_PER_SECOND = 20;

    private final long perSecond;
    private final Scheduler scheduler;

    private Paced(Flux<T> source, long perSecond, Scheduler scheduler) {
        super(source);
        this.perSecond = perSecond;
        this.scheduler = scheduler;
    }

    /** Returns {@code source}, of which no more than so many elements are asked for in a second, in even portions. */
    static <T> Flux<T> of(int perSecond, Flux<T> source) {
        return of(perSecond, source, Schedulers.parallel());
    }

    static <T> Flux<T> of(int perSecond, Flux<T> source, Scheduler scheduler) {
        return new Paced<>(source, perSecond, scheduler);
    }

    @Override
    public void subscribe(CoreSubscriber<? super T> actual) {
        source.subscribe(new Pacing<>(actual, perSecond, scheduler));
    }

    private static final class Pacing<T> implements CoreSubscriber<T>, Subscription {

        private final CoreSubscriber<? super T> actual;
        private final long perSecond;
        private final Scheduler scheduler;
        private final AtomicLong wanted = new AtomicLong();
        private final Disposable.Swap timer = Disposables.swap();
        private Subscription source = Operators.emptySubscription();

        /** Steps and what they have granted; one step runs at a time. */
        private long steps;

        private long granted;

        Pacing(CoreSubscriber<? super T> actual, long perSecond, Scheduler scheduler) {
            this.actual = actual;
            this.perSecond = perSecond;
            this.scheduler = scheduler;
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            source = subscription;
            actual.onSubscribe(this);
            long period = Duration.ofSeconds(1).toNanos() / STEPS_PER_SECOND;
            timer.update(scheduler.schedulePeriodically(this::step, 0, period, TimeUnit.NANOSECONDS));
        }

        /** What nobody wanted in its time is not made up for. */
        private void step() {
            steps++;
            long due = steps * perSecond / STEPS_PER_SECOND - granted;
            granted += due;
            long before = wanted.getAndUpdate(now -> now - Math.min(now, due));
            long now = Math.min(before, due);
            if (now > 0) {
                source.request(now);
            }
        }

        @Override
        public void request(long n) {
            if (Operators.validate(n)) {
                wanted.accumulateAndGet(n, Operators::addCap);
            }
        }

        @Override
        public void cancel() {
            timer.dispose();
            source.cancel();
        }

        @Override
        public void onNext(T element) {
            actual.onNext(element);
        }

        @Override
        public void onError(Throwable error) {
            timer.dispose();
            actual.onError(error);
        }

        @Override
        public void onComplete() {
            timer.dispose();
            actual.onComplete();
        }

        @Override
        public Context currentContext() {
            return actual.currentContext();
        }
    }
}
