package io.reactiverouter.stream;

import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxOperator;
import reactor.core.publisher.Operators;
import reactor.util.context.Context;

/** Ends a stream in another way than with the error of its source. Everything else passes through as it is. */
public final class OnError<T> extends FluxOperator<T, T> {

    private final BiConsumer<? super Throwable, ? super CoreSubscriber<?>> handler;

    private OnError(Flux<? extends T> source, BiConsumer<? super Throwable, ? super CoreSubscriber<?>> handler) {
        super(source);
        this.handler = handler;
    }

    /** Returns {@code source}, which ends with the error that {@code mapper} makes of its own. */
    public static <T> Flux<T> map(Flux<T> source, UnaryOperator<Throwable> mapper) {
        return handle(source, (error, subscriber) -> subscriber.onError(mapper.apply(error)));
    }

    /**
     * Returns {@code source}, whose error {@code handler} gets with the subscriber, to complete it, to pass an error on, or,
     * if somebody else sees to its end, to do nothing.
     */
    public static <T> Flux<T> handle(Flux<T> source, BiConsumer<? super Throwable, ? super CoreSubscriber<?>> handler) {
        return Flux.onAssembly(new OnError<>(source, handler));
    }

    @Override
    public void subscribe(CoreSubscriber<? super T> actual) {
        source.subscribe(new Handling<>(actual, handler));
    }

    private static final class Handling<T> implements CoreSubscriber<T>, Subscription {

        private final CoreSubscriber<? super T> actual;
        private final BiConsumer<? super Throwable, ? super CoreSubscriber<?>> handler;
        private @Nullable Subscription upstream;

        Handling(CoreSubscriber<? super T> actual, BiConsumer<? super Throwable, ? super CoreSubscriber<?>> handler) {
            this.actual = actual;
            this.handler = handler;
        }

        @Override
        public Context currentContext() {
            return actual.currentContext();
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            if (Operators.validate(upstream, subscription)) {
                upstream = subscription;
                // Not the other one, which might let the subscriber take elements, and errors, past this.
                actual.onSubscribe(this);
            }
        }

        @Override
        public void request(long n) {
            upstream().request(n);
        }

        @Override
        public void cancel() {
            upstream().cancel();
        }

        private Subscription upstream() {
            Subscription subscription = upstream;
            if (subscription == null) {
                throw new IllegalStateException("not subscribed");
            }
            return subscription;
        }

        @Override
        public void onNext(T element) {
            actual.onNext(element);
        }

        @Override
        public void onError(Throwable error) {
            try {
                handler.accept(error, actual);
            } catch (RuntimeException e) {
                e.addSuppressed(error);
                actual.onError(e);
            }
        }

        @Override
        public void onComplete() {
            actual.onComplete();
        }
    }
}
