package io.reactiverouter.stream;

import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxOperator;
import reactor.core.publisher.Operators;
import reactor.util.context.Context;

/**
 * Streams one after the other. Reactor's {@code concatMap} does that; a cancel goes to it, and past it to the stream that is
 * read at the moment as well.
 */
public final class Sequential {

    /** What is read at the moment, or Reactor's constant for what has been cancelled. */
    private final AtomicReference<@Nullable Subscription> current = new AtomicReference<>();

    private Sequential() {}

    /** Returns what {@code mapper} makes of each item, in their order; each is subscribed to when the one before has ended. */
    public static <S, T> Flux<T> of(Iterable<S> items, Function<? super S, Flux<T>> mapper) {
        return Flux.defer(() -> {
            Sequential sequence = new Sequential();
            return new Whole<>(
                    Flux.fromIterable(items).concatMap(item -> new Part<>(mapper.apply(item), sequence), 1), sequence);
        });
    }

    private void cancel() {
        Subscription part = current.getAndSet(Operators.cancelledSubscription());
        if (part != null) {
            part.cancel();
        }
    }

    private void begin(Subscription part) {
        Subscription before = current.get();
        while (before != Operators.cancelledSubscription() && !current.compareAndSet(before, part)) {
            before = current.get();
        }
        if (before == Operators.cancelledSubscription()) {
            part.cancel();
        }
    }

    private static final class Whole<T> extends FluxOperator<T, T> {

        private final Sequential sequence;

        Whole(Flux<T> source, Sequential sequence) {
            super(source);
            this.sequence = sequence;
        }

        @Override
        public void subscribe(CoreSubscriber<? super T> actual) {
            source.subscribe(new Passing<>(actual, sequence, true));
        }
    }

    private static final class Part<T> extends FluxOperator<T, T> {

        private final Sequential sequence;

        Part(Flux<T> source, Sequential sequence) {
            super(source);
            this.sequence = sequence;
        }

        @Override
        public void subscribe(CoreSubscriber<? super T> actual) {
            source.subscribe(new Passing<>(actual, sequence, false));
        }
    }

    private static final class Passing<T> implements CoreSubscriber<T>, Subscription {

        private final CoreSubscriber<? super T> actual;
        private final Sequential sequence;
        private final boolean whole;
        private @Nullable Subscription upstream;

        Passing(CoreSubscriber<? super T> actual, Sequential sequence, boolean whole) {
            this.actual = actual;
            this.sequence = sequence;
            this.whole = whole;
        }

        @Override
        public Context currentContext() {
            return actual.currentContext();
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            if (Operators.validate(upstream, subscription)) {
                upstream = subscription;
                if (!whole) {
                    sequence.begin(subscription);
                }
                actual.onSubscribe(this);
            }
        }

        @Override
        public void onNext(T element) {
            actual.onNext(element);
        }

        @Override
        public void onError(Throwable error) {
            actual.onError(error);
        }

        @Override
        public void onComplete() {
            actual.onComplete();
        }

        @Override
        public void request(long n) {
            upstream().request(n);
        }

        @Override
        public void cancel() {
            upstream().cancel();
            if (whole) {
                sequence.cancel();
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
