package io.reactiverouter.stream;

import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxOperator;
import reactor.core.publisher.Operators;
import reactor.util.context.Context;

/**
 * Keeps a subscriber's {@code onErrorContinue}, and that of a hook, out of its source, as {@code onErrorStop} does, which costs
 * an operator and a context for every subscriber. This costs something only where there is one.
 */
public final class ErrorsStop<T> extends FluxOperator<T, T> {

    /** What Reactor does with errors behind an {@code onErrorStop}: one object for all. */
    private static final @Nullable BiFunction<?, ?, ?> STOP = stop();

    private ErrorsStop(Flux<? extends T> source) {
        super(source);
    }

    /** Returns {@code source}, whose operators fail with the first error whatever the subscriber asks for. */
    public static <T> Flux<T> in(Flux<T> source) {
        return Flux.onAssembly(new ErrorsStop<>(source));
    }

    @Override
    public void subscribe(CoreSubscriber<? super T> actual) {
        if (STOP != null && Operators.onNextErrorFunction(actual.currentContext()) == STOP) {
            source.subscribe(actual);
        } else {
            source.onErrorStop().subscribe(actual);
        }
    }

    private static @Nullable BiFunction<?, ?, ?> stop() {
        AtomicReference<@Nullable BiFunction<?, ?, ?>> found = new AtomicReference<>();
        // Nothing here waits for anything.
        Flux.deferContextual(context -> {
                    found.set(Operators.onNextErrorFunction(Context.of(context)));
                    return Flux.empty();
                })
                .onErrorStop()
                .subscribe();
        return found.get();
    }
}
