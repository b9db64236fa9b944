package io.reactiverouter.connection;

import io.r2dbc.spi.Readable;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Row;
import io.r2dbc.spi.RowMetadata;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.Exceptions;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;
import reactor.core.publisher.Sinks;
import reactor.util.Logger;
import reactor.util.Loggers;
import reactor.util.context.Context;

/**
 * A result of a statement that the driver has sent. It keeps rows in a window of 256, behind which everything waits that the
 * connection receives: if nobody reads the window, or its reader leaves while it is full, the connection never gets another
 * answer, and a window that is cancelled does not release its rows. So when a reader cancels, or what it does with a row
 * fails, the rest is read and dropped here; what nobody has begun to read, or has read to the end, is when the lease ends.
 */
final class SentResult implements Result {

    private static final Logger LOG = Loggers.getLogger(SentResult.class);

    private final Result result;
    private final Unread unread;
    private final Key key;

    private SentResult(Result result, Unread unread, Key key) {
        this.result = result;
        this.unread = unread;
        this.key = key;
    }

    /** Returns {@code result}, one of those that are {@code unread}. */
    static SentResult of(Result result, Unread unread) {
        return new SentResult(result, unread, new Key(result, unread));
    }

    /** Reads the result and drops it, if nobody else has begun to; whoever comes later is refused. */
    void drain() {
        key.sent.drain();
    }

    /** What it takes to read a result; filtered ones share that of the result. */
    private static final class Key {

        private final Sent sent;

        /** What a filter has thrown: it lets the segment pass, and its reader fails. */
        private final AtomicReference<@Nullable Throwable> filterFailure = new AtomicReference<>();

        Key(Result result, Unread unread) {
            this.sent = new Sent(this, result, unread);
            unread.add(sent);
        }
    }

    /** The result as the driver gave it, until somebody reads it. */
    private static final class Sent extends Unread.Keyed {

        private enum State {
            UNREAD,
            TAKEN,
            DROPPED
        }

        private final Result result;
        private final Unread unread;
        private final AtomicReference<State> state = new AtomicReference<>(State.UNREAD);

        Sent(Key key, Result result, Unread unread) {
            super(key, unread);
            this.result = result;
            this.unread = unread;
        }

        @Override
        public void drain() {
            if (state.compareAndSet(State.UNREAD, State.DROPPED)) {
                unread.remove(this);
                Mono.from(result.getRowsUpdated()).subscribe(null, error -> {
                    LOG.debug("a statement that was given up has failed", error);
                    unread.failed(error);
                });
            }
        }

        /** Says whether {@code actual} may read the result, and if not, tells it so. */
        boolean take(CoreSubscriber<?> actual) {
            if (state.compareAndSet(State.UNREAD, State.TAKEN)) {
                unread.remove(this);
                return true;
            }
            if (state.get() == State.DROPPED) {
                Lease.refuse(actual);
            } else {
                Operators.error(actual, new IllegalStateException("a result can be read only once"));
            }
            return false;
        }
    }

    /** Asks for everything at once, so a cancel need not do more than stop listening. */
    @Override
    public Mono<Long> getRowsUpdated() {
        return new Mono<Long>() {
            @Override
            public void subscribe(CoreSubscriber<? super Long> actual) {
                if (key.sent.take(actual)) {
                    Mono.<Long>create(sink -> Mono.from(result.getRowsUpdated())
                                    .subscribe(
                                            sink::success, sink::error, sink::success, Context.of(sink.contextView())))
                            .doOnTerminate(SentResult.this::requireFiltered)
                            .subscribe(actual);
                }
            }
        };
    }

    private void requireFiltered() {
        Throwable failure = key.filterFailure.get();
        if (failure != null) {
            throw Exceptions.propagate(failure);
        }
    }

    @Override
    public <T> Flux<T> map(BiFunction<Row, RowMetadata, ? extends T> mapper) {
        return read(reader -> result.map((row, metadata) -> reader.map(() -> mapper.apply(row, metadata))));
    }

    @Override
    public <T> Flux<T> map(Function<? super Readable, ? extends T> mapper) {
        return read(reader -> result.map(row -> reader.map(() -> mapper.apply(row))));
    }

    @Override
    public <T> Flux<T> flatMap(Function<Segment, ? extends Publisher<? extends T>> mapper) {
        return read(reader -> result.flatMap(segment -> {
            if (!reader.isReading() || reader.hasFailedFilter()) {
                return Mono.<T>empty();
            }
            return Flux.<T>defer(() -> Flux.from(mapper.apply(segment)))
                    // What the mapper has begun for a segment ends with the reader, however much more it would give.
                    .takeUntilOther(reader.leaving.asMono())
                    .onErrorResume(error -> {
                        reader.fail(error);
                        return Mono.empty();
                    });
        }));
    }

    @Override
    public Result filter(Predicate<Segment> filter) {
        Result filtered = result.filter(segment -> {
            try {
                return filter.test(segment);
            } catch (Throwable failure) {
                Exceptions.throwIfJvmFatal(failure);
                key.filterFailure.compareAndSet(null, failure);
                return true;
            }
        });
        return new SentResult(filtered, unread, key);
    }

    /** A row that nobody waits for. */
    private enum Dropped {
        ROW
    }

    private <T> Flux<T> read(Function<Reader<T>, Publisher<?>> source) {
        return new Flux<>() {
            @Override
            public void subscribe(CoreSubscriber<? super T> actual) {
                if (!key.sent.take(actual)) {
                    return;
                }
                Reader<T> reader = new Reader<>(actual, unread, key);
                unread.add(reader);
                source.apply(reader).subscribe(reader);
            }
        };
    }

    /** Its value says whether it still reads. What it does not read it lets pass, all at once. */
    private static final class Reader<T> extends AtomicInteger
            implements CoreSubscriber<Object>, Subscription, Unread.Answer {

        private static final long serialVersionUID = 1L;

        private static final int READING = 0;

        /** The subscriber has cancelled, or has its error: it gets no more signals. */
        private static final int LEFT = 1;

        /** The connection is given back, and the subscriber still waits: it gets an error in place of the end. */
        private static final int LEFT_BEHIND = 2;

        private final transient CoreSubscriber<? super T> actual;
        private final transient Unread unread;
        private final transient Key key;
        private final transient Sinks.Empty<Void> leaving = Sinks.empty();
        private transient volatile @Nullable Subscription upstream;

        Reader(CoreSubscriber<? super T> actual, Unread unread, Key key) {
            this.actual = actual;
            this.unread = unread;
            this.key = key;
        }

        boolean isReading() {
            return get() == READING;
        }

        /** Returns what becomes of a row. */
        Object map(Supplier<? extends @Nullable Object> mapper) {
            if (!isReading() || hasFailedFilter()) {
                return Dropped.ROW;
            }
            try {
                return Objects.requireNonNull(mapper.get(), "a mapper must not return null for a row");
            } catch (Throwable error) {
                Exceptions.throwIfFatal(error);
                fail(error);
                return Dropped.ROW;
            }
        }

        /** Says whether a filter has thrown something, with which the reader then fails. */
        boolean hasFailedFilter() {
            Throwable failure = key.filterFailure.get();
            if (failure != null) {
                fail(failure);
            }
            return failure != null;
        }

        /** Comes from where the rows come from, so not at the same time as one of them. */
        void fail(Throwable error) {
            if (leave(LEFT)) {
                actual.onError(error);
            }
        }

        @Override
        public void drain() {
            leave(LEFT_BEHIND);
        }

        private boolean leave(int how) {
            if (!compareAndSet(READING, how)) {
                return false;
            }
            leaving.tryEmitEmpty();
            request(Long.MAX_VALUE);
            return true;
        }

        @Override
        public Context currentContext() {
            return actual.currentContext();
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            if (Operators.validate(upstream, subscription)) {
                upstream = subscription;
                actual.onSubscribe(this);
                if (!isReading()) {
                    subscription.request(Long.MAX_VALUE);
                }
            }
        }

        @Override
        @SuppressWarnings("unchecked")
        public void onNext(Object row) {
            if (row == Dropped.ROW) {
                return;
            }
            if (isReading()) {
                actual.onNext((T) row);
            } else {
                Operators.onDiscard(row, actual.currentContext());
            }
        }

        @Override
        public void onError(Throwable error) {
            end(error);
        }

        @Override
        public void onComplete() {
            end(key.filterFailure.get());
        }

        private void end(@Nullable Throwable error) {
            unread.remove(this);
            int before = getAndSet(LEFT);
            if (before == LEFT_BEHIND) {
                if (error != null) {
                    unread.failed(error);
                }
                actual.onError(Lease.refusal());
            } else if (before == READING && error != null) {
                actual.onError(error);
            } else if (before == READING) {
                actual.onComplete();
            }
        }

        @Override
        public void request(long n) {
            Subscription subscription = upstream;
            if (subscription != null) {
                subscription.request(n);
            }
        }

        @Override
        public void cancel() {
            // Whoever is left behind can still cancel, and then waits for nothing.
            if (!leave(LEFT)) {
                compareAndSet(LEFT_BEHIND, LEFT);
            }
        }
    }
}
