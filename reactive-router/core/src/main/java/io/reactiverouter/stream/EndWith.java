package io.reactiverouter.stream;

import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxOperator;
import reactor.core.publisher.Operators;
import reactor.util.context.Context;

/** Adds one element to the end of a stream. */
public final class EndWith<T> extends FluxOperator<T, T> {

    private final Supplier<? extends T> last;

    private EndWith(Flux<? extends T> source, Supplier<? extends T> last) {
        super(source);
        this.last = last;
    }

    /** Returns {@code source} and, when that has completed and there is demand for one more, what {@code last} gives. */
    public static <T> Flux<T> of(Flux<? extends T> source, Supplier<? extends T> last) {
        return Flux.onAssembly(new EndWith<>(source, last));
    }

    @Override
    public void subscribe(CoreSubscriber<? super T> actual) {
        source.subscribe(new Ending<>(actual, last));
    }

    /** {@code requested} is the demand as long as it is not negative. */
    private static final class Ending<T> implements CoreSubscriber<T>, Subscription {

        /** The source has completed, but nobody has asked for one more. */
        private static final long OWED = Long.MIN_VALUE;

        private static final long ENDED = -1;

        @SuppressWarnings("rawtypes")
        private static final AtomicLongFieldUpdater<Ending> REQUESTED =
                AtomicLongFieldUpdater.newUpdater(Ending.class, "requested");

        private final CoreSubscriber<? super T> actual;
        private final Supplier<? extends T> last;
        private volatile long requested;
        private long produced;
        private @Nullable Subscription upstream;

        Ending(CoreSubscriber<? super T> actual, Supplier<? extends T> last) {
            this.actual = actual;
            this.last = last;
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
        public void onNext(T element) {
            produced++;
            actual.onNext(element);
        }

        @Override
        public void onError(Throwable error) {
            actual.onError(error);
        }

        @Override
        public void onComplete() {
            long demand = requested;
            while (demand >= 0 && demand <= produced) {
                if (REQUESTED.compareAndSet(this, demand, OWED)) {
                    return;
                }
                demand = requested;
            }
            if (demand >= 0) {
                end();
            }
        }

        @Override
        public void request(long n) {
            if (!Operators.validate(n)) {
                return;
            }
            long demand = requested;
            while (demand >= 0) {
                if (REQUESTED.compareAndSet(this, demand, Operators.addCap(demand, n))) {
                    upstream().request(n);
                    return;
                }
                demand = requested;
            }
            if (REQUESTED.compareAndSet(this, OWED, ENDED)) {
                end();
            }
        }

        private void end() {
            T element;
            try {
                element = last.get();
            } catch (Throwable e) {
                actual.onError(Operators.onOperatorError(e, actual.currentContext()));
                return;
            }
            actual.onNext(element);
            actual.onComplete();
        }

        @Override
        public void cancel() {
            requested = ENDED;
            upstream().cancel();
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
