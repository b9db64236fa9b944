package io.reactiverouter.stream;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxOperator;

/**
 * Keeps a subscriber's {@code onErrorContinue} out of its source, as {@code onErrorStop} does, which costs an operator and a
 * context for every subscriber. This costs something only where there is one.
 */
public final class ErrorsStop<T> extends FluxOperator<T, T> {

    /** Under which Reactor's contexts hold an {@code onErrorContinue}; null if this version does not tell. */
    private static final @Nullable Object STRATEGY = strategy();

    private ErrorsStop(Flux<? extends T> source) {
        super(source);
    }

    /** Returns {@code source}, whose operators fail with the first error whatever the subscriber asks for. */
    public static <T> Flux<T> in(Flux<T> source) {
        return STRATEGY == null ? source.onErrorStop() : Flux.onAssembly(new ErrorsStop<>(source));
    }

    @Override
    public void subscribe(CoreSubscriber<? super T> actual) {
        if (STRATEGY != null && actual.currentContext().hasKey(STRATEGY)) {
            source.onErrorStop().subscribe(actual);
        } else {
            source.subscribe(actual);
        }
    }

    /** Reactor does not say it, but writes it. */
    private static @Nullable Object strategy() {
        Set<Object> keys = new HashSet<>();
        // Nothing here waits for anything.
        keys().onErrorStop().subscribe(keys::add);
        keys().subscribe(keys::remove);
        return keys.size() == 1 ? keys.iterator().next() : null;
    }

    private static Flux<Object> keys() {
        return Flux.deferContextual(context -> Flux.fromStream(context.stream().map(Map.Entry::getKey)));
    }
}
