package io.reactiverouter.stream;

import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.Exceptions;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxOperator;
import reactor.core.publisher.Operators;
import reactor.util.context.Context;

/**
 * Goes on with another stream when one has failed before its first element. Reactor's {@code onErrorResume} can lose a cancel
 * that comes while it does so; this does not.
 */
public final class Resume<T> extends FluxOperator<T, T> {

    private final Function<? super Throwable, ? extends @Nullable Flux<T>> other;

    private Resume(Flux<? extends T> source, Function<? super Throwable, ? extends @Nullable Flux<T>> other) {
        super(source);
        this.other = other;
    }

    /**
     * Returns {@code source}, and after an error before its first element what {@code other} makes of the error, again as
     * often as that fails likewise; null is to leave it at that error.
     */
    public static <T> Flux<T> of(Flux<T> source, Function<? super Throwable, ? extends @Nullable Flux<T>> other) {
        return Flux.onAssembly(new Resume<>(source, other));
    }

    @Override
    public void subscribe(CoreSubscriber<? super T> actual) {
        new Resuming<>(actual, other).begin(source);
    }

    /** The subscription of {@code actual}; what fails and what comes in its place are {@link Part}s. */
    private static final class Resuming<T> implements Subscription {

        /** Before the first part. */
        private static final Subscription NONE = Operators.emptySubscription();

        @SuppressWarnings("rawtypes")
        private static final AtomicReferenceFieldUpdater<Resuming, Subscription> CURRENT =
                AtomicReferenceFieldUpdater.newUpdater(Resuming.class, Subscription.class, "current");

        @SuppressWarnings("rawtypes")
        private static final AtomicLongFieldUpdater<Resuming> REQUESTED =
                AtomicLongFieldUpdater.newUpdater(Resuming.class, "requested");

        @SuppressWarnings("rawtypes")
        private static final AtomicIntegerFieldUpdater<Resuming> DRAINING =
                AtomicIntegerFieldUpdater.newUpdater(Resuming.class, "draining");

        private final CoreSubscriber<? super T> actual;
        private final Function<? super Throwable, ? extends @Nullable Flux<T>> other;
        private volatile Subscription current = NONE;
        private volatile long requested;

        @SuppressWarnings("UnusedVariable") // only through DRAINING
        private volatile int draining;

        // Of whoever drains.
        private Subscription asked = NONE;
        private long askedFor;

        private boolean begun;
        private volatile boolean delivered;

        Resuming(CoreSubscriber<? super T> actual, Function<? super Throwable, ? extends @Nullable Flux<T>> other) {
            this.actual = actual;
            this.other = other;
        }

        void begin(Flux<? extends T> source) {
            source.subscribe(new Part<>(this));
        }

        void begin(Subscription part) {
            Subscription before = current;
            while (before != Operators.cancelledSubscription() && !CURRENT.compareAndSet(this, before, part)) {
                before = current;
            }
            if (before == Operators.cancelledSubscription()) {
                part.cancel();
                return;
            }
            if (!begun) {
                begun = true;
                actual.onSubscribe(this);
            }
            drain();
        }

        void fail(Throwable error) {
            if (current == Operators.cancelledSubscription()) {
                // Whoever has left need not hear of it.
                return;
            }
            Flux<T> next;
            try {
                next = other.apply(error);
            } catch (RuntimeException e) {
                actual.onError(Exceptions.addSuppressed(e, error));
                return;
            }
            if (next == null) {
                actual.onError(error);
            } else {
                begin(next);
            }
        }

        @Override
        public void request(long n) {
            if (delivered && draining == 0) {
                // Nothing can come in place of the one that has delivered; so it is read after that.
                current.request(n);
            } else if (Operators.validate(n)) {
                Operators.addCap(REQUESTED, this, n);
                drain();
            }
        }

        /**
         * Nothing has been delivered when one part takes the place of another, so that it is asked for all that the subscriber
         * has ever asked for, once.
         */
        private void drain() {
            if (DRAINING.getAndIncrement(this) != 0) {
                return;
            }
            int missed = 1;
            do {
                Subscription part = current;
                if (part != asked) {
                    asked = part;
                    askedFor = 0;
                }
                long more = requested - askedFor;
                if (part != NONE && more > 0) {
                    askedFor += more;
                    part.request(more);
                }
                missed = DRAINING.addAndGet(this, -missed);
            } while (missed != 0);
        }

        @Override
        public void cancel() {
            CURRENT.getAndSet(this, Operators.cancelledSubscription()).cancel();
        }
    }

    private static final class Part<T> implements CoreSubscriber<T> {

        private final Resuming<T> whole;
        private @Nullable Subscription subscription;

        Part(Resuming<T> whole) {
            this.whole = whole;
        }

        @Override
        public Context currentContext() {
            return whole.actual.currentContext();
        }

        @Override
        public void onSubscribe(Subscription part) {
            if (Operators.validate(subscription, part)) {
                subscription = part;
                whole.begin(part);
            }
        }

        @Override
        public void onNext(T element) {
            if (!whole.delivered) {
                whole.delivered = true;
            }
            whole.actual.onNext(element);
        }

        @Override
        public void onError(Throwable error) {
            if (whole.delivered) {
                whole.actual.onError(error);
            } else {
                whole.fail(error);
            }
        }

        @Override
        public void onComplete() {
            whole.actual.onComplete();
        }
    }
}
