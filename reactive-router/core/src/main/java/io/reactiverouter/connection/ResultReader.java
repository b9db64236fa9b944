package io.reactiverouter.connection;

import io.netty.util.ReferenceCountUtil;
import io.r2dbc.postgresql.api.PostgresqlException;
import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Result.Message;
import io.r2dbc.spi.Result.RowSegment;
import io.r2dbc.spi.Result.Segment;
import io.r2dbc.spi.Row;
import io.r2dbc.spi.RowMetadata;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.Exceptions;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;
import reactor.core.publisher.Sinks;
import reactor.util.context.Context;

/**
 * Somebody who reads what the server answers. If the work ends while the subscriber still waits, perhaps without asking for
 * more, what is left is asked for here, since whatever is asked next waits behind it: if more rows come they are dropped, or a
 * cursor is closed, and the subscriber gets an error in their place. Its value says whether it still reads.
 */
final class ResultReader<T> extends AtomicInteger implements CoreSubscriber<Object>, Subscription, Unread.Answer {

    private static final long serialVersionUID = 1L;

    private static final Set<String> ERRORS = Set.of("ERROR", "FATAL", "PANIC");

    private static final int READING = 0;

    /** The subscriber has cancelled, or has its error: it gets no more signals. */
    private static final int LEFT = 1;

    /** The work is over, and the subscriber still waits. */
    private static final int LEFT_BEHIND = 2;

    /** It has been left behind, and has its error for the rows that it missed. */
    private static final int MISSED = 3;

    private final transient CoreSubscriber<? super T> actual;
    private final transient Unread unread;
    private final transient ResultFilter filter;

    /** Whether the driver takes care of a cancel. Otherwise the rest must be read, and is dropped. */
    private final boolean cancels;

    /** Whether these are the results of a cursor, of which there is one, and somebody else reads it portion by portion. */
    private final boolean ofCursor;

    /** Whose cancel makes the server send no more portions, null if there are none or all of them are read. */
    private final transient @Nullable ResultReader<?> cursor;

    private transient Sinks.@Nullable Empty<Void> leaving;
    private transient volatile @Nullable Subscription upstream;

    /** The one result of a cursor. */
    private transient volatile Unread.@Nullable Answer handedOut;

    /** Whether the subscriber is just getting it. */
    private transient volatile boolean handingOver;

    /** Whether nobody wants more of the cursor. */
    private transient volatile boolean unwanted;

    private ResultReader(
            CoreSubscriber<? super T> actual,
            Unread unread,
            ResultFilter filter,
            Kind kind,
            @Nullable ResultReader<?> results) {
        this.actual = actual;
        this.unread = unread;
        this.filter = filter;
        this.cancels = kind != Kind.TO_THE_END;
        this.ofCursor = kind == Kind.RESULTS_OF_CURSOR;
        this.cursor = kind == Kind.CURSOR ? this : results;
    }

    private enum Kind {
        TO_THE_END,
        CANCELLABLE,
        CURSOR,
        RESULTS_OF_CURSOR
    }

    /**
     * Returns a reader of a result that must be read to its end.
     *
     * @param results the reader of the results of a cursor, which this is one of; null for others
     */
    static <T> ResultReader<T> toTheEnd(
            CoreSubscriber<? super T> actual, Unread unread, ResultFilter filter, @Nullable ResultReader<?> results) {
        return new ResultReader<>(actual, unread, filter, Kind.TO_THE_END, results);
    }

    /** Returns a reader of a result whose cancel the driver takes care of. */
    static <T> ResultReader<T> cancellable(
            CoreSubscriber<? super T> actual, Unread unread, ResultFilter filter, boolean cursor) {
        return new ResultReader<>(actual, unread, filter, cursor ? Kind.CURSOR : Kind.CANCELLABLE, null);
    }

    /**
     * Returns a reader of the results of a statement. When the subscriber leaves with the {@link #isFirst first} of a
     * cursor, as {@link Mono#from} does, that can still be read to its end.
     */
    static ResultReader<Result> ofResults(CoreSubscriber<? super Result> actual, Unread unread, boolean cursor) {
        return new ResultReader<>(
                actual, unread, ResultFilter.NONE, cursor ? Kind.RESULTS_OF_CURSOR : Kind.CANCELLABLE, null);
    }

    /** Says whether a result is the one of the cursor: the driver makes a second, empty one when it closes that. */
    boolean isFirst(Result result) {
        if (handedOut == null) {
            return true;
        }
        Mono.from(result.getRowsUpdated()).subscribe(null, unread::failed);
        return false;
    }

    /** Begins to read. */
    void read(Publisher<?> source) {
        unread.add(this);
        source.subscribe(this);
    }

    /** Returns the rows of a result, each as what the mapper makes of it. */
    Publisher<?> rows(Result result, BiFunction<Row, RowMetadata, ? extends T> mapper) {
        return filter.on(result, this::mayPass, this::failOn).map((row, metadata) -> row(mapper, row, metadata));
    }

    /** Returns the segments of a result, each by what the mapper makes of it. */
    Publisher<?> segments(Result result, Function<Segment, ? extends Publisher<? extends T>> mapper) {
        Sinks.Empty<Void> ended = Sinks.empty();
        leaving = ended;
        // The driver does not release segments that it had ready when something fails. What the mapper, or a filter,
        // discards is released where it comes from, and must not see the discarding here.
        return Flux.<T>from(result.flatMap(
                        segment -> segment(segment, mapper, ended.asMono()).contextWrite(seen -> currentContext())))
                .doOnDiscard(RowSegment.class, ReferenceCountUtil::release);
    }

    private Flux<T> segment(
            Segment segment, Function<Segment, ? extends Publisher<? extends T>> mapper, Mono<Void> ended) {
        if (!isReading()) {
            dropped(segment);
            return Flux.empty();
        }
        Publisher<? extends T> begunForIt;
        try {
            // Not when it is subscribed to: a cancel then would release the segment while the mapper reads it.
            begunForIt = filter.passes(segment)
                    ? Objects.requireNonNull(mapper.apply(segment), "a mapper must not return null for a segment")
                    : Flux.empty();
        } catch (Throwable error) {
            Exceptions.throwIfFatal(error);
            failOn(segment, error);
            return Flux.empty();
        }
        AtomicBoolean whole = new AtomicBoolean();
        return Flux.<T>from(begunForIt)
                .doOnComplete(() -> whole.set(true))
                // What the mapper has begun for a segment ends with the reader, however much more it would give.
                .takeUntilOther(ended)
                .onErrorResume(error -> {
                    whole.set(true);
                    failOn(segment, error);
                    return Mono.empty();
                })
                .doOnComplete(() -> {
                    if (!whole.get()) {
                        refuse();
                    }
                });
    }

    /** Looks at a segment that the subscriber does not get: it may be one that it would not have got anyway. */
    private void dropped(Segment segment) {
        R2dbcException error = error(segment);
        if (error != null && get() != LEFT) {
            unread.failed(error);
        }
        if (get() != LEFT_BEHIND) {
            return;
        }
        try {
            if (!filter.passes(segment)) {
                return;
            }
        } catch (Throwable thrown) {
            Exceptions.throwIfFatal(thrown);
            fail(thrown);
            return;
        }
        if (error == null) {
            refuse();
        } else {
            fail(error);
        }
    }

    /** Returns the error that a segment says, null if it is none: a notice can have the SQLSTATE of one. */
    private static @Nullable R2dbcException error(Segment segment) {
        R2dbcException said = segment instanceof Message message ? message.exception() : null;
        String severity = said instanceof PostgresqlException error
                ? error.getErrorDetails().getSeverityNonLocalized()
                : null;
        // Servers say it since version 9.6.
        return severity == null || ERRORS.contains(severity) ? said : null;
    }

    /** What stands for a row that the subscriber does not get. */
    private enum Dropped {
        /** Nobody waits for it. */
        UNWANTED,

        /** The subscriber waits for another one in its place. */
        SKIPPED
    }

    private Object row(BiFunction<Row, RowMetadata, ? extends T> mapper, Row row, RowMetadata metadata) {
        if (!isReading()) {
            refuse();
            return Dropped.UNWANTED;
        }
        try {
            return Objects.requireNonNull(mapper.apply(row, metadata), "a mapper must not return null for a row");
        } catch (Throwable error) {
            Exceptions.throwIfFatal(error);
            return failOn(row, error);
        }
    }

    /** Ends the reading with an error, unless the subscriber goes on without the element as {@code onErrorContinue} does. */
    private Dropped failOn(Object element, Throwable error) {
        Throwable failure = Operators.onNextError(element, error, actual.currentContext());
        if (failure == null) {
            return Dropped.SKIPPED;
        }
        fail(failure);
        return Dropped.UNWANTED;
    }

    private boolean isReading() {
        return get() == READING;
    }

    /** Says whether it still matters if a segment passes the filter. */
    private boolean mayPass() {
        int state = get();
        return state == READING || state == LEFT_BEHIND;
    }

    /** Comes from where the rows come from, so not at the same time as one of them. */
    private void fail(Throwable error) {
        if (leave(LEFT)) {
            actual.onError(error);
        } else {
            miss(error);
        }
    }

    /** Comes when a subscriber who has been left behind does not get something. */
    private void refuse() {
        if (get() == LEFT_BEHIND) {
            miss(Lease.refusal());
        }
    }

    private void miss(Throwable error) {
        if (compareAndSet(LEFT_BEHIND, MISSED)) {
            actual.onError(error);
            closeCursor();
        }
    }

    @Override
    public boolean drain() {
        return leave(LEFT_BEHIND);
    }

    private boolean leave(int how) {
        if (!compareAndSet(READING, how)) {
            return false;
        }
        Sinks.Empty<Void> ended = leaving;
        if (ended != null) {
            ended.tryEmitEmpty();
        }
        Subscription subscription = upstream;
        if (subscription != null) {
            drop(subscription, how);
        }
        return true;
    }

    private void drop(Subscription subscription, int how) {
        Unread.Answer result = handedOut;
        if (how == LEFT && cancels && (result == null || unwanted)) {
            stop(subscription);
            return;
        }
        if (how == LEFT && result != null && !handingOver) {
            unread.leftWith(result, unread.sends());
        }
        subscription.request(Long.MAX_VALUE);
        if (how == LEFT) {
            closeCursor();
        }
        if (unwanted) {
            close();
        }
    }

    private void stop(Subscription subscription) {
        unread.remove(this);
        subscription.cancel();
    }

    /** Notes that nobody wants more of a cursor, whose server then sends no more portions. */
    void closeCursor() {
        ResultReader<?> closed = cursor;
        if (closed != null) {
            closed.unwanted();
        }
    }

    /** Notes that nobody wants more of the one result. */
    void unwanted() {
        unwanted = true;
        // Who waits for the end of the results must get it.
        if (!isReading()) {
            close();
        }
    }

    private void close() {
        Subscription subscription = upstream;
        if (subscription != null) {
            stop(subscription);
        }
        if (compareAndSet(LEFT_BEHIND, MISSED)) {
            actual.onError(Lease.refusal());
        }
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
            // If that was before there was something to leave.
            if (!isReading()) {
                drop(subscription, get());
            }
        }
    }

    @Override
    public void onNext(Object element) {
        if (element instanceof Dropped dropped) {
            if (dropped == Dropped.SKIPPED) {
                request(1);
            }
            return;
        }
        if (ofCursor) {
            int before = unread.sends();
            Unread.Answer result = ((SentResult) element).answer();
            handedOut = result;
            handingOver = true;
            try {
                pass(element);
            } finally {
                handingOver = false;
                // Whoever leaves with a result often begins to read it a moment later.
                if (get() == LEFT) {
                    unread.leftWith(result, before);
                }
            }
        } else {
            pass(element);
        }
    }

    @SuppressWarnings("unchecked")
    private void pass(Object element) {
        if (isReading()) {
            actual.onNext((T) element);
            return;
        }
        if (element instanceof SentResult result) {
            result.drain();
        } else {
            Operators.onDiscard(element, actual.currentContext());
        }
        refuse();
    }

    @Override
    public void onError(Throwable error) {
        int before = end();
        if (before == LEFT_BEHIND || before == MISSED) {
            unread.failed(error);
        }
        if (before == READING || before == LEFT_BEHIND) {
            actual.onError(Unread.ofServer(error));
        }
    }

    @Override
    public void onComplete() {
        int before = end();
        if (before == READING || before == LEFT_BEHIND) {
            actual.onComplete();
        }
    }

    private int end() {
        unread.remove(this);
        return getAndSet(LEFT);
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
        if (!leave(LEFT) && compareAndSet(LEFT_BEHIND, LEFT)) {
            closeCursor();
        }
    }
}
