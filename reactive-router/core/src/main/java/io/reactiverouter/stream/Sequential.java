package io.reactiverouter.stream;

import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxOperator;
import reactor.core.publisher.Operators;

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
            source.subscribe(new Passing<T>(actual) {
                @Override
                public void cancel() {
                    super.cancel();
                    sequence.cancel();
                }
            });
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
            source.subscribe(new Passing<T>(actual) {
                @Override
                void begin(Subscription subscription) {
                    sequence.begin(subscription);
                }
            });
        }
    }
}
