package io.reactiverouter.connection;

import io.netty.buffer.ByteBuf;
import io.netty.util.ReferenceCountUtil;
import io.r2dbc.spi.Result;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.CorePublisher;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxOperator;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoOperator;
import reactor.core.publisher.Operators;
import reactor.core.publisher.Sinks;
import reactor.util.context.Context;

/**
 * The time for which a connection has one owner. What the owner sends goes through {@link #within}: it is refused after the
 * end, when it would reach the server in the middle of the next owner's transaction. A cancel can come from any thread while
 * the owner is just sending another statement on its own; {@link #end()} waits until that one is with the driver, in whose
 * queue everything that settles the connection then stands behind it.
 */
final class Lease {

    /** Names the context as the owner knows it: what the owner discards is not ours to release. */
    private static final Object OUTSIDE = new Object();

    /** Added to the number of statements being sent when the owner can send no more. */
    private static final int ENDED = Integer.MIN_VALUE;

    /** Added to that when its lender cannot either. */
    private static final int OVER = 1 << 30;

    private static final int SENDING = OVER - 1;

    /** Sending takes microseconds; only an owner who blocks in the middle of it takes longer. */
    private static final Duration SENDING_TIMEOUT = Duration.ofSeconds(2);

    private final AtomicInteger sending = new AtomicInteger();
    private final AtomicReference<@Nullable Waiting> waiting = new AtomicReference<>();
    private final Unread unread = new Unread();

    /** What was sent at once and can end a transaction, as long as it was not seen that the server has done it. */
    private final AtomicInteger unended = new AtomicInteger();

    /** Returns {@code source}, whose subscription can send something to the server, refused after the end. */
    <T> Publisher<T> within(Publisher<T> source) {
        return source instanceof Mono<T> mono
                ? new LeasedMono<>(mono, this, false)
                : new LeasedFlux<>(Flux.from(source), this);
    }

    /**
     * Returns {@code source}, a part of a statement: the driver can send the statement when this completes, at any time and
     * on any thread. Fails in place of that after the end.
     */
    <T> Flux<T> part(Publisher<T> source) {
        return new LeasedPart<>(Flux.from(source), this);
    }

    /**
     * Returns {@code source}, a statement that is sent as soon as it is subscribed to.
     *
     * @param cursor whether the server sends its rows portion by portion
     */
    Publisher<Result> sending(Publisher<? extends Result> source, boolean cursor) {
        return within(new Flux<Result>() {
            @Override
            public void subscribe(CoreSubscriber<? super Result> actual) {
                CursorResults ofCursor = cursor ? new CursorResults(actual, unread) : null;
                ResultReader<Result> reader = ofCursor == null
                        ? new ResultReader<>(actual, unread, ResultReader.Rest.CANCELLED, null)
                        : ofCursor;
                Function<Result, SentResult> sent = result -> SentResult.of(result, unread, ofCursor);
                Flux<Result> results = Flux.<Result>from(source)
                        .doOnSubscribe(subscription -> unended.incrementAndGet())
                        // Not after an error: the server may not yet have said what became of the transaction.
                        .doOnComplete(unended::decrementAndGet)
                        // Of results that come after a cancel.
                        .doOnDiscard(Result.class, result -> sent.apply(result).drain());
                reader.read((ofCursor == null ? results : results.filter(ofCursor::isFirst)).map(sent));
            }
        });
    }

    /** Returns the context for a driver that puts a parameter together of pieces, which it does not release after an error. */
    static Context releasingPieces(Context context) {
        return Operators.enableOnDiscard(context.put(OUTSIDE, context), discarded -> {
            if (discarded instanceof ByteBuf piece) {
                ReferenceCountUtil.safeRelease(piece);
            }
        });
    }

    /** Returns {@code source}, a command that can end a transaction. */
    Publisher<Void> ending(Publisher<Void> source) {
        return within(Mono.from(source)
                .doOnSubscribe(subscription -> unended.incrementAndGet())
                .doOnSuccess(done -> unended.decrementAndGet()));
    }

    /** Returns the answers that the owner has not read. */
    Unread unread() {
        return unread;
    }

    /** Says whether something may still be under way whose end the owner has not waited for, or seen. */
    boolean mayBeUnderWay() {
        return unended.get() > 0;
    }

    /** Returns the first error among the answers that {@link #drain()} has dropped, null if there was none. */
    @Nullable Throwable failureOfDropped() {
        return unread.failure();
    }

    /**
     * Reads, and drops, the answers that the owner has not read; what is asked next stands behind them. Says whether one
     * has not come yet.
     */
    boolean drain() {
        return unread.drain();
    }

    /** Whoever waits for the end of what is being sent, and those who have waited before. */
    private record Waiting(Sinks.Empty<Void> sent, @Nullable Waiting before) {}

    /** Ends the time of an owner who, as its lender, can have nothing more to send. */
    void over() {
        sending.getAndUpdate(count -> count | ENDED | OVER);
    }

    /**
     * Ends the time of the owner; completes when nothing is being sent any more, or fails if that takes too long. What its
     * lender sends last goes through {@link #lastly}.
     */
    Mono<Void> withdraw() {
        return end(ENDED);
    }

    /** Ends the time of the owner and its lender; completes when nothing is being sent any more, or fails likewise. */
    Mono<Void> end() {
        return end(ENDED | OVER);
    }

    private Mono<Void> end(int marks) {
        if (sending.compareAndSet(0, marks)) {
            return Mono.empty();
        }
        if ((sending.getAndUpdate(count -> count | marks) & SENDING) == 0) {
            return Mono.empty();
        }
        Sinks.Empty<Void> sent = Sinks.empty();
        waiting.updateAndGet(before -> new Waiting(sent, before));
        if ((sending.get() & SENDING) == 0) {
            // Perhaps before it could be told.
            sent.tryEmitEmpty();
        }
        return sent.asMono()
                .timeout(
                        SENDING_TIMEOUT,
                        Mono.error(() -> new IllegalStateException("the work has ended, and for "
                                + SENDING_TIMEOUT + " a thread of it has been sending a statement;"
                                + " let work complete last, and do not block in it")));
    }

    /**
     * Returns what {@code command} gives, which the lender sends after {@link #withdraw}: both on one thread, in which
     * {@link #end} waits for it, and refused after that. Otherwise a thread that pauses in between could send it to the next
     * owner's transaction.
     */
    <T> Mono<T> lastly(Supplier<Mono<T>> command) {
        return new LeasedMono<>(Mono.defer(command), this, true);
    }

    /** Throws if the time of the owner is over. */
    void check() {
        if (sending.get() < 0) {
            throw refusal();
        }
    }

    /** Subscribes to something that is sent at that moment, or refuses to if it may not be. */
    private <T> void send(CorePublisher<? extends T> source, CoreSubscriber<? super T> actual, boolean allowed) {
        if (!allowed) {
            refuse(actual);
            return;
        }
        try {
            source.subscribe(actual);
        } finally {
            sent();
        }
    }

    /** Says whether the owner may send something; if so, {@link #sent()} must follow. */
    private boolean send() {
        int count = sending.get();
        while (count >= 0 && !sending.compareAndSet(count, count + 1)) {
            count = sending.get();
        }
        if (count >= 0) {
            unread.sending();
        }
        return count >= 0;
    }

    private void sent() {
        int left = sending.decrementAndGet();
        if (left < 0 && (left & SENDING) == 0) {
            for (Waiting each = waiting.getAndSet(null); each != null; each = each.before()) {
                each.sent().tryEmitEmpty();
            }
        }
    }

    /** Says whether the lender may send something; if so, {@link #sent()} must follow. */
    private boolean sendLast() {
        int count = sending.get();
        while ((count & OVER) == 0 && !sending.compareAndSet(count, count + 1)) {
            count = sending.get();
        }
        return (count & OVER) == 0;
    }

    static IllegalStateException refusal() {
        return new IllegalStateException(
                "the work that this connection was lent to is over, and somebody else may have it by now; use it"
                        + " only within the work it was handed to, and let that work complete last");
    }

    /** Whoever has been cancelled says so when it gets its subscription, and must not be bothered with an error then. */
    static void refuse(CoreSubscriber<?> actual) {
        Refused subscription = new Refused();
        actual.onSubscribe(subscription);
        if (!subscription.cancelled) {
            actual.onError(refusal());
        }
    }

    private static final class Refused implements Subscription {

        private volatile boolean cancelled;

        @Override
        public void request(long n) {
            // Nothing will come.
        }

        @Override
        public void cancel() {
            cancelled = true;
        }
    }

    private static final class LeasedMono<T> extends MonoOperator<T, T> {

        private final Lease lease;
        private final boolean last;

        LeasedMono(Mono<T> source, Lease lease, boolean last) {
            super(source);
            this.lease = lease;
            this.last = last;
        }

        @Override
        public void subscribe(CoreSubscriber<? super T> actual) {
            lease.send(source, actual, last ? lease.sendLast() : lease.send());
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
            lease.send(source, actual, lease.send());
        }
    }

    private static final class LeasedPart<T> extends FluxOperator<T, T> {

        private final Lease lease;

        LeasedPart(Flux<T> source, Lease lease) {
            super(source);
            this.lease = lease;
        }

        @Override
        public void subscribe(CoreSubscriber<? super T> actual) {
            source.subscribe(new PartSubscriber<>(actual, lease));
        }
    }

    private record PartSubscriber<T>(CoreSubscriber<? super T> actual, Lease lease) implements CoreSubscriber<T> {

        @Override
        public Context currentContext() {
            Context context = actual.currentContext();
            return context.hasKey(OUTSIDE) ? context.get(OUTSIDE) : context;
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
            actual.onError(error);
        }

        @Override
        public void onComplete() {
            if (!lease.send()) {
                actual.onError(refusal());
                return;
            }
            try {
                actual.onComplete();
            } finally {
                lease.sent();
            }
        }
    }
}
