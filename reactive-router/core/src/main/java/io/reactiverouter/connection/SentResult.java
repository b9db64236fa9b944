package io.reactiverouter.connection;

import io.r2dbc.spi.Readable;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Row;
import io.r2dbc.spi.RowMetadata;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
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
 * answer. So when a reader cancels, the rest is read and dropped here, and what nobody has begun to read is read when the
 * lease ends.
 */
final class SentResult implements Result {

    private static final Logger LOG = Loggers.getLogger(SentResult.class);

    private final Result result;
    private final Set<SentResult> unread;
    private volatile boolean dropped;

    /** Adds itself to {@code unread}, until it is. */
    SentResult(Result result, Set<SentResult> unread) {
        this.result = result;
        this.unread = unread;
        unread.add(this);
    }

    /** Reads the result and drops it, if nobody else has begun to; whoever comes later is refused. */
    void drain() {
        if (unread.remove(this)) {
            dropped = true;
            Mono.from(result.getRowsUpdated())
                    .subscribe(null, error -> LOG.debug("a statement that was given up has failed", error));
        }
    }

    /** Asks for everything at once, so a cancel need not do more than stop listening. */
    @Override
    public Mono<Long> getRowsUpdated() {
        return Mono.create(sink -> {
            unread.remove(this);
            Mono.from(result.getRowsUpdated())
                    .subscribe(sink::success, sink::error, sink::success, Context.of(sink.contextView()));
        });
    }

    @Override
    public <T> Flux<T> map(BiFunction<Row, RowMetadata, ? extends T> mapper) {
        return read(left -> result.map((row, metadata) -> left.get() ? Dropped.ROW : mapper.apply(row, metadata)));
    }

    @Override
    public <T> Flux<T> map(Function<? super Readable, ? extends T> mapper) {
        return read(left -> result.map(row -> left.get() ? Dropped.ROW : mapper.apply(row)));
    }

    @Override
    public <T> Flux<T> flatMap(Function<Segment, ? extends Publisher<? extends T>> mapper) {
        return read(left -> result.flatMap(segment -> left.get()
                ? Mono.<T>empty()
                // What the mapper has begun for a segment ends with the reader, however much more it would give.
                : Flux.<T>from(mapper.apply(segment)).takeUntilOther(left.leaving.asMono())));
    }

    @Override
    public Result filter(Predicate<Segment> filter) {
        unread.remove(this);
        return new SentResult(result.filter(filter), unread);
    }

    /** A row that nobody waits for. */
    private enum Dropped {
        ROW
    }

    private <T> Flux<T> read(Function<Reader<T>, Publisher<?>> source) {
        return new Flux<>() {
            @Override
            public void subscribe(CoreSubscriber<? super T> actual) {
                unread.remove(SentResult.this);
                if (dropped) {
                    Lease.refuse(actual);
                    return;
                }
                Reader<T> reader = new Reader<>(actual);
                source.apply(reader).subscribe(reader);
            }
        };
    }

    /** True when its subscriber has left. */
    private static final class Reader<T> extends AtomicBoolean implements CoreSubscriber<Object>, Subscription {

        private static final long serialVersionUID = 1L;

        private final transient CoreSubscriber<? super T> actual;
        private final transient Sinks.Empty<Void> leaving = Sinks.empty();
        private transient @Nullable Subscription upstream;

        Reader(CoreSubscriber<? super T> actual) {
            this.actual = actual;
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
            }
        }

        @Override
        @SuppressWarnings("unchecked")
        public void onNext(Object row) {
            if (!get() && row != Dropped.ROW) {
                actual.onNext((T) row);
            }
        }

        @Override
        public void onError(Throwable error) {
            if (!get()) {
                actual.onError(error);
            }
        }

        @Override
        public void onComplete() {
            if (!get()) {
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
            if (compareAndSet(false, true)) {
                leaving.tryEmitEmpty();
                request(Long.MAX_VALUE);
            }
        }
    }
}
