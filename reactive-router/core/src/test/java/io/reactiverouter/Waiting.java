package io.reactiverouter;

import org.jspecify.annotations.NullUnmarked;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Sinks;

/** Asks for one element, and then for no more. */
@NullUnmarked
class Waiting<T> extends BaseSubscriber<T> {

    /** The error with which it ended. */
    final Sinks.One<Throwable> end = Sinks.one();

    @Override
    protected void hookOnSubscribe(Subscription subscription) {
        request(1);
    }

    @Override
    protected void hookOnError(Throwable error) {
        end.tryEmitValue(error);
    }
}
