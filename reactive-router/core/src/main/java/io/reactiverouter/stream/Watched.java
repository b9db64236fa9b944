package io.reactiverouter.stream;

import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxOperator;
import reactor.util.Logger;
import reactor.util.Loggers;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/**
 * Lets a {@link Watcher} see each subscription. Reactor's {@code tap} tells of a cancel also after the end, gives what its
 * listeners throw to the subscriber, and restores thread-locals for each element.
 */
public final class Watched<T> extends FluxOperator<T, T> {

    private static final Logger LOG = Loggers.getLogger(Watched.class);

    private final Function<? super ContextView, ? extends Watcher> watcher;

    private Watched(Flux<? extends T> source, Function<? super ContextView, ? extends Watcher> watcher) {
        super(source);
        this.watcher = watcher;
    }

    /** Returns {@code source}, each subscription of which is seen by what {@code watcher} makes of the subscriber's context. */
    public static <T> Flux<T> by(Function<? super ContextView, ? extends Watcher> watcher, Flux<T> source) {
        return Flux.onAssembly(new Watched<>(source, watcher));
    }

    @Override
    public void subscribe(CoreSubscriber<? super T> actual) {
        Watching<T> watching;
        try {
            Context before = actual.currentContext();
            Watcher begun = watcher.apply(before);
            watching = new Watching<>(actual, begun, begun.context(before));
        } catch (RuntimeException e) {
            LOG.warn("a call is not watched", e);
            source.subscribe(actual);
            return;
        }
        source.subscribe(watching);
    }

    private static final class Watching<T> extends Passing<T> {

        @SuppressWarnings("rawtypes")
        private static final AtomicIntegerFieldUpdater<Watching> ENDED =
                AtomicIntegerFieldUpdater.newUpdater(Watching.class, "ended");

        private final Watcher watcher;
        private final Context context;
        private volatile boolean answered;

        @SuppressWarnings("UnusedVariable") // only through ENDED
        private volatile int ended;

        Watching(CoreSubscriber<? super T> actual, Watcher watcher, Context context) {
            super(actual);
            this.watcher = watcher;
            this.context = context;
        }

        @Override
        public Context currentContext() {
            return context;
        }

        @Override
        public void onNext(T element) {
            if (!answered) {
                answered = true;
                try {
                    watcher.first();
                } catch (RuntimeException e) {
                    LOG.warn("a watcher of calls failed", e);
                }
            }
            actual.onNext(element);
        }

        @Override
        public void onError(Throwable error) {
            end(Watcher.End.ERROR, error);
            actual.onError(error);
        }

        @Override
        public void onComplete() {
            end(Watcher.End.COMPLETE, null);
            actual.onComplete();
        }

        @Override
        public void cancel() {
            end(Watcher.End.CANCEL, null);
            super.cancel();
        }

        private void end(Watcher.End end, @Nullable Throwable error) {
            if (ENDED.compareAndSet(this, 0, 1)) {
                try {
                    watcher.ended(end, answered, error);
                } catch (RuntimeException e) {
                    LOG.warn("a watcher of calls failed", e);
                }
            }
        }
    }
}
