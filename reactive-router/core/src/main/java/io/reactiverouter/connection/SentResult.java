package io.reactiverouter.connection;

import io.r2dbc.spi.Result;
import io.r2dbc.spi.Row;
import io.r2dbc.spi.RowMetadata;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.CoreSubscriber;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;
import reactor.util.Logger;
import reactor.util.Loggers;

/**
 * A result of a statement that the driver has sent. It keeps rows in a window of 256, behind which everything waits that the
 * connection receives: if nobody reads the window, or its reader leaves while it is full, the connection never gets another
 * answer, and a window that is cancelled does not release its rows. So when a reader cancels, or what it does with a row
 * fails, the rest is read and dropped here. When the lease ends, that happens to what nobody has begun to read too.
 */
final class SentResult implements Result {

    private static final Logger LOG = Loggers.getLogger(SentResult.class);

    private final Result result;
    private final Unread unread;
    private final Key key;
    private final ResultFilter filter;

    private SentResult(Result result, Unread unread, Key key, ResultFilter filter) {
        this.result = result;
        this.unread = unread;
        this.key = key;
        this.filter = filter;
    }

    /**
     * Returns {@code result}, one of those that are {@code unread}.
     *
     * @param results the reader of the results of a cursor, which this is one of; null for others
     */
    static SentResult of(Result result, Unread unread, @Nullable CursorResults results) {
        return new SentResult(result, unread, new Key(result, unread, results), ResultFilter.NONE);
    }

    /** Reads the result and drops it, if nobody else has begun to; whoever comes later is refused. */
    void drain() {
        key.sent.drain();
    }

    /** Returns what it is as an answer, which does not keep it. */
    Unread.Keyed answer() {
        return key.sent;
    }

    /** What it takes to read a result; filtered ones share that of the result. */
    private static final class Key {

        private final Sent sent;

        Key(Result result, Unread unread, @Nullable CursorResults results) {
            this.sent = new Sent(this, result, unread, results);
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
        private final @Nullable CursorResults results;
        private final AtomicReference<State> state = new AtomicReference<>(State.UNREAD);

        Sent(Key key, Result result, Unread unread, @Nullable CursorResults results) {
            super(key, unread);
            this.result = result;
            this.unread = unread;
            this.results = results;
        }

        @Override
        public boolean drain() {
            if (!state.compareAndSet(State.UNREAD, State.DROPPED)) {
                return false;
            }
            unread.remove(this);
            if (results != null) {
                results.unwanted();
            }
            Disposable dropping = Mono.from(result.getRowsUpdated()).subscribe(null, error -> {
                LOG.debug("a statement that was given up has failed", error);
                unread.failed(error);
            });
            // Often all of it has come already.
            return !dropping.isDisposed();
        }

        /** Says whether {@code actual} may read the result, and if not, tells it so. */
        boolean take(CoreSubscriber<?> actual) {
            if (state.compareAndSet(State.UNREAD, State.TAKEN)) {
                unread.remove(this);
                return true;
            }
            if (state.get() == State.DROPPED && unread.isDrained()) {
                Lease.refuse(actual);
            } else if (state.get() == State.DROPPED) {
                Operators.error(
                        actual,
                        new IllegalStateException("the rows of a cursor were dropped when the next statement was sent;"
                                + " read a result before that"));
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
                    filter.count(result, false).subscribe(actual);
                }
            }
        };
    }

    @Override
    public <T> Flux<T> map(BiFunction<Row, RowMetadata, ? extends T> mapper) {
        return read(mapping -> mapping.rows(result, mapper));
    }

    @Override
    public <T> Flux<T> flatMap(Function<Segment, ? extends Publisher<? extends T>> mapper) {
        return read(mapping -> mapping.segments(result, mapper));
    }

    @Override
    public Result filter(Predicate<Segment> more) {
        return new SentResult(result, unread, key, filter.and(more));
    }

    private <T> Flux<T> read(Function<ResultMapping<T>, Publisher<?>> source) {
        return new Flux<>() {
            @Override
            public void subscribe(CoreSubscriber<? super T> actual) {
                if (key.sent.take(actual)) {
                    ResultReader<T> reader =
                            new ResultReader<>(actual, unread, ResultReader.Rest.READ, key.sent.results);
                    reader.read(source.apply(new ResultMapping<>(reader, filter)));
                }
            }
        };
    }
}
