package io.reactiverouter.stream;

import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxOperator;
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

    private record Handling<T>(
            CoreSubscriber<? super T> actual, BiConsumer<? super Throwable, ? super CoreSubscriber<?>> handler)
            implements CoreSubscriber<T> {

        @Override
        public Context currentContext() {
            return actual.currentContext();
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            actual.onSubscribe(subscription);
        }

        @Override
        public void onNext(T element) {
            actual.onNext(element);
        }

        @Override
        public void onError(Throwable error) {
            handler.accept(error, actual);
        }

        @Override
        public void onComplete() {
            actual.onComplete();
        }
    }
}
