package io.reactiverouter.stream;

import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import java.util.function.Supplier;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxOperator;
import reactor.core.publisher.Operators;

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
    private static final class Ending<T> extends Passing<T> {

        /** The source has completed, but nobody has asked for one more. */
        private static final long OWED = Long.MIN_VALUE;

        private static final long ENDED = -1;

        @SuppressWarnings("rawtypes")
        private static final AtomicLongFieldUpdater<Ending> REQUESTED =
                AtomicLongFieldUpdater.newUpdater(Ending.class, "requested");

        private final Supplier<? extends T> last;
        private volatile long requested;
        private long produced;

        Ending(CoreSubscriber<? super T> actual, Supplier<? extends T> last) {
            super(actual);
            this.last = last;
        }

        @Override
        public void onNext(T element) {
            produced++;
            actual.onNext(element);
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
                    super.request(n);
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
            super.cancel();
        }
    }
}
