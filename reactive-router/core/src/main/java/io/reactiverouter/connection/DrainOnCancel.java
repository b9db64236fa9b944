package io.reactiverouter.connection;

import io.netty.util.Timeout;
import io.netty.util.TimerTask;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxOperator;
import reactor.core.publisher.Operators;
import reactor.util.Logger;
import reactor.util.Loggers;
import reactor.util.context.Context;

/**
 * Reads what is left to its end when the subscriber leaves a source that has so little left that a cancel would cost more: after
 * that a connection has to ask its server whether everything is answered. Only once the source has delivered something; and
 * if the end does not come soon, as when the server still looks for another row, it is cancelled after all.
 */
public final class DrainOnCancel<T> extends FluxOperator<T, T> {

    private static final Duration GRACE = Duration.ofMillis(100);

    private static final Logger LOG = Loggers.getLogger(DrainOnCancel.class);

    private final BooleanSupplier littleLeft;

    private DrainOnCancel(Flux<? extends T> source, BooleanSupplier littleLeft) {
        super(source);
        this.littleLeft = littleLeft;
    }

    /** Returns {@code source}; {@code littleLeft} is asked when the subscriber leaves. */
    public static <T> Flux<T> of(Flux<T> source, BooleanSupplier littleLeft) {
        return Flux.onAssembly(new DrainOnCancel<>(source, littleLeft));
    }

    @Override
    public void subscribe(CoreSubscriber<? super T> actual) {
        source.subscribe(new Draining<>(actual, littleLeft));
    }

    /** Its value is the state. */
    private static final class Draining<T> extends AtomicInteger implements CoreSubscriber<T>, Subscription, TimerTask {

        private static final long serialVersionUID = 1L;

        private static final int BEGUN = 0;
        private static final int DELIVERING = 1;

        /** The subscriber has left, and the rest is read. */
        private static final int DRAINING = 2;

        private static final int OVER = 3;

        private final transient CoreSubscriber<? super T> actual;
        private final transient BooleanSupplier littleLeft;
        private transient @Nullable Subscription upstream;
        private transient volatile @Nullable Timeout timer;

        Draining(CoreSubscriber<? super T> actual, BooleanSupplier littleLeft) {
            this.actual = actual;
            this.littleLeft = littleLeft;
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
            int state = get();
            if (state == BEGUN) {
                compareAndSet(BEGUN, DELIVERING);
                state = get();
            }
            if (state == DELIVERING) {
                actual.onNext(element);
            } else {
                Operators.onDiscard(element, actual.currentContext());
            }
        }

        @Override
        public void onError(Throwable error) {
            if (end()) {
                actual.onError(error);
            } else {
                LOG.debug("what nobody waits for any more has failed", error);
            }
        }

        @Override
        public void onComplete() {
            if (end()) {
                actual.onComplete();
            }
        }

        /** Says whether there is somebody to tell of it. */
        private boolean end() {
            int before = getAndSet(OVER);
            Timeout set = timer;
            if (set != null) {
                set.cancel();
            }
            return before == BEGUN || before == DELIVERING;
        }

        @Override
        public void request(long n) {
            upstream().request(n);
        }

        @Override
        public void cancel() {
            if (get() == DELIVERING && littleLeft.getAsBoolean()) {
                drain();
            } else if (leave()) {
                upstream().cancel();
            }
        }

        private boolean leave() {
            int before = getAndUpdate(state -> state < DRAINING ? OVER : state);
            return before < DRAINING;
        }

        private void drain() {
            if (!compareAndSet(DELIVERING, DRAINING)) {
                return;
            }
            upstream().request(Long.MAX_VALUE);
            if (get() == DRAINING) {
                Timeout set = TimeLimits.TIMER.newTimeout(this, GRACE.toNanos(), TimeUnit.NANOSECONDS);
                timer = set;
                if (get() == OVER) {
                    set.cancel();
                }
            }
        }

        @Override
        public void run(Timeout timeout) {
            if (compareAndSet(DRAINING, OVER)) {
                upstream().cancel();
            }
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
