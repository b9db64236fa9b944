package io.reactiverouter.stream;

import java.util.function.Function;
import java.util.function.UnaryOperator;
import reactor.core.CoreSubscriber;
import reactor.core.Exceptions;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxOperator;

/** Ends a stream in another way than with the error of its source. Everything else passes through as it is. */
public final class OnError<T> extends FluxOperator<T, T> {

    private final Function<? super Throwable, End> handler;

    private OnError(Flux<? extends T> source, Function<? super Throwable, End> handler) {
        super(source);
        this.handler = handler;
    }

    /** Returns {@code source}, which ends with the error that {@code mapper} makes of its own. */
    public static <T> Flux<T> map(Flux<T> source, UnaryOperator<Throwable> mapper) {
        return handle(source, error -> End.error(mapper.apply(error)));
    }

    /** Returns {@code source}, which ends as {@code handler} says when it fails. */
    public static <T> Flux<T> handle(Flux<T> source, Function<? super Throwable, End> handler) {
        return Flux.onAssembly(new OnError<>(source, handler));
    }

    @Override
    public void subscribe(CoreSubscriber<? super T> actual) {
        source.subscribe(new Handling<>(actual, handler));
    }

    /** How a stream ends. */
    @FunctionalInterface
    public interface End {

        End COMPLETE = CoreSubscriber::onComplete;

        /** Somebody else sees to it. */
        End NOTHING = subscriber -> {};

        static End error(Throwable error) {
            return subscriber -> subscriber.onError(error);
        }

        void tell(CoreSubscriber<?> subscriber);
    }

    private static final class Handling<T> extends Passing<T> {

        private final Function<? super Throwable, End> handler;

        Handling(CoreSubscriber<? super T> actual, Function<? super Throwable, End> handler) {
            super(actual);
            this.handler = handler;
        }

        @Override
        public void onError(Throwable error) {
            End end;
            try {
                end = handler.apply(error);
            } catch (RuntimeException e) {
                end = End.error(Exceptions.addSuppressed(e, error));
            }
            end.tell(actual);
        }
    }
}
