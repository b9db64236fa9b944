package io.reactiverouter.stream;

import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Operators;
import reactor.util.context.Context;

/** Passes everything on, except what subclasses do otherwise; the subscription as its own, so that nothing can go past it. */
abstract class Passing<T> implements CoreSubscriber<T>, Subscription {

    final CoreSubscriber<? super T> actual;
    private @Nullable Subscription upstream;

    Passing(CoreSubscriber<? super T> actual) {
        this.actual = actual;
    }

    /** Gets the subscription of the source before the subscriber gets this. */
    void begin(Subscription subscription) {}

    @Override
    public Context currentContext() {
        return actual.currentContext();
    }

    @Override
    public void onSubscribe(Subscription subscription) {
        if (Operators.validate(upstream, subscription)) {
            upstream = subscription;
            begin(subscription);
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
    }

    private Subscription upstream() {
        Subscription subscription = upstream;
        if (subscription == null) {
            throw new IllegalStateException("not subscribed");
        }
        return subscription;
    }
}
