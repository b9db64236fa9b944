package io.reactiverouter.connection;

import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxOperator;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoOperator;
import reactor.core.publisher.Operators;
import reactor.core.publisher.Sinks;

/**
 * The time for which a connection has one owner. What the owner sends goes through {@link #within}: it is refused after the
 * end, when it would reach the server in the middle of the next owner's transaction. A cancel can come from any thread while
 * the owner is just sending another statement on its own; {@link #end()} waits until that one is with the driver, in whose
 * queue everything that settles the connection then stands behind it.
 */
final class Lease {

    /** Added to the number of statements being sent. */
    private static final int ENDED = Integer.MIN_VALUE;

    private final AtomicInteger sending = new AtomicInteger();
    private volatile Sinks.@Nullable Empty<Void> sent;

    /** Returns {@code source}, whose subscription can send something to the server, refused after the end. */
    <T> Publisher<T> within(Publisher<T> source) {
        return source instanceof Mono<T> mono
                ? new LeasedMono<>(mono, this)
                : new LeasedFlux<>(Flux.from(source), this);
    }

    /** Ends the time of an owner whose work has completed. */
    void over() {
        sending.getAndUpdate(count -> count | ENDED);
    }

    /** Ends the time of the owner; completes when nothing is being sent any more. */
    Mono<Void> end() {
        if (sending.compareAndSet(0, ENDED)) {
            return Mono.empty();
        }
        Sinks.Empty<Void> last = Sinks.empty();
        sent = last;
        return (sending.getAndUpdate(count -> count | ENDED) & ~ENDED) == 0 ? Mono.empty() : last.asMono();
    }

    /** Throws if the time of the owner is over. */
    void check() {
        if (sending.get() < 0) {
            throw refusal();
        }
    }

    private static IllegalStateException refusal() {
        return new IllegalStateException(
                "the connection has been given back, and somebody else may have it by now; use it"
                        + " only within the work it was handed to, and let that work complete last");
    }

    private <T> void subscribe(Publisher<? extends T> source, CoreSubscriber<? super T> actual) {
        int count = sending.get();
        while (count >= 0 && !sending.compareAndSet(count, count + 1)) {
            count = sending.get();
        }
        if (count < 0) {
            Operators.error(actual, refusal());
            return;
        }
        try {
            source.subscribe(actual);
        } finally {
            if (sending.decrementAndGet() == ENDED) {
                Sinks.Empty<Void> last = sent;
                if (last != null) {
                    last.tryEmitEmpty();
                }
            }
        }
    }

    private static final class LeasedMono<T> extends MonoOperator<T, T> {

        private final Lease lease;

        LeasedMono(Mono<T> source, Lease lease) {
            super(source);
            this.lease = lease;
        }

        @Override
        public void subscribe(CoreSubscriber<? super T> actual) {
            lease.subscribe(source, actual);
        }
    }

    private static final class LeasedFlux<T> extends FluxOperator<T, T> {

        private final Lease lease;

        LeasedFlux(Flux<T> source, Lease lease) {
            super(source);
            this.lease = lease;
        }

        @Override
        public void subscribe(CoreSubscriber<? super T> actual) {
            lease.subscribe(source, actual);
        }
    }
}
