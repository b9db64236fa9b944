package io.reactiverouter.connection;

import io.netty.util.ReferenceCountUtil;
import io.r2dbc.spi.Readable;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Result.RowSegment;
import io.r2dbc.spi.Result.Segment;
import io.r2dbc.spi.Row;
import io.r2dbc.spi.RowMetadata;
import java.util.Objects;
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
 * Somebody who reads what the server answers. If the lease ends while the subscriber still waits, perhaps without asking for
 * more, what is left is asked for here, since whatever is asked next waits behind it: if more rows come they are dropped, and
 * the subscriber gets an error in their place. Its value says whether it still reads.
 */
final class ResultReader<T> extends AtomicInteger implements CoreSubscriber<Object>, Subscription, Unread.Answer {

    private static final long serialVersionUID = 1L;

    private static final int READING = 0;

    /** The subscriber has cancelled, or has its error: it gets no more signals. */
    private static final int LEFT = 1;

    /** The connection is given back, and the subscriber still waits. */
    private static final int LEFT_BEHIND = 2;

    /** It has been left behind, and has its error for the rows that it missed. */
    private static final int MISSED = 3;

    private final transient CoreSubscriber<? super T> actual;
    private final transient Unread unread;
    private final transient ResultFilter filter;

    /** Whether the driver takes care of a cancel. Otherwise the rest must be read, and is dropped. */
    private final boolean cancels;

    /** What a filter in the driver has thrown. */
    private transient @Nullable Throwable filterFailure;

    private transient Sinks.@Nullable Empty<Void> leaving;
    private transient volatile @Nullable Subscription upstream;

    private ResultReader(CoreSubscriber<? super T> actual, Unread unread, ResultFilter filter, boolean cancels) {
        this.actual = actual;
        this.unread = unread;
        this.filter = filter;
        this.cancels = cancels;
    }

    /** Returns a reader of a result that the driver has in a window, which must be read to its end. */
    static <T> ResultReader<T> ofWindow(CoreSubscriber<? super T> actual, Unread unread, ResultFilter filter) {
        return new ResultReader<>(actual, unread, filter, false);
    }

    /** Returns a reader of a result whose cancel the driver takes care of. */
    static <T> ResultReader<T> ofRows(CoreSubscriber<? super T> actual, Unread unread, ResultFilter filter) {
        return new ResultReader<>(actual, unread, filter, true);
    }

    /** Returns a reader of the results of a statement. */
    static ResultReader<Result> ofResults(CoreSubscriber<? super Result> actual, Unread unread) {
        return new ResultReader<>(actual, unread, ResultFilter.NONE, true);
    }

    /** Begins to read. */
    void read(Publisher<?> source) {
        unread.add(this);
        source.subscribe(this);
    }

    /** Returns the rows of a result, each as what the mapper makes of it. */
    Publisher<?> rows(Result result, BiFunction<Row, RowMetadata, ? extends T> mapper) {
        return filtered(result).map((row, metadata) -> row(mapper, row, metadata));
    }

    /** Does the same for a mapper that takes no metadata. */
    Publisher<?> rows(Result result, Function<? super Readable, ? extends T> mapper) {
        BiFunction<Readable, Readable, T> ofBoth = (row, same) -> mapper.apply(row);
        return filtered(result).map(row -> row(ofBoth, row, row));
    }

    private Result filtered(Result result) {
        return filter.on(result, failure -> {
            if (filterFailure == null) {
                filterFailure = failure;
            }
        });
    }

    /** Returns the segments of a result, each by what the mapper makes of it. */
    Publisher<?> segments(Result result, Function<Segment, ? extends Publisher<? extends T>> mapper) {
        Sinks.Empty<Void> ended = Sinks.empty();
        leaving = ended;
        // The driver does not release segments that it had ready when something fails. What the mapper, or a filter,
        // discards is released where it comes from, and must not see the discarding here.
        return Flux.<T>deferContextual(context -> Flux.<T>from(result.flatMap(
                        segment -> segment(segment, mapper, ended.asMono()).contextWrite(seen -> Context.of(context))))
                .doOnDiscard(RowSegment.class, ReferenceCountUtil::release));
    }

    private Flux<T> segment(
            Segment segment, Function<Segment, ? extends Publisher<? extends T>> mapper, Mono<Void> ended) {
        if (!isReading()) {
            refuse();
            return Flux.empty();
        }
        AtomicBoolean whole = new AtomicBoolean();
        return Flux.<T>defer(() -> filter.passes(segment) ? Flux.<T>from(mapper.apply(segment)) : Flux.<T>empty())
                .doOnComplete(() -> whole.set(true))
                // What the mapper has begun for a segment ends with the reader, however much more it would give.
                .takeUntilOther(ended)
                .onErrorResume(error -> {
                    fail(error);
                    return Mono.empty();
                })
                .doOnComplete(() -> {
                    if (!whole.get()) {
                        refuse();
                    }
                });
    }

    /** A row that nobody waits for. */
    private enum Dropped {
        ROW
    }

    /** Returns what becomes of a row, which the mapper gets as these two. */
    private <A, B> Object row(BiFunction<? super A, ? super B, ? extends T> mapper, A row, B metadata) {
        Throwable filtered = filterFailure;
        if (filtered != null) {
            fail(filtered);
        }
        if (!isReading()) {
            refuse();
            return Dropped.ROW;
        }
        try {
            return Objects.requireNonNull(mapper.apply(row, metadata), "a mapper must not return null for a row");
        } catch (Throwable error) {
            Exceptions.throwIfFatal(error);
            fail(error);
            return Dropped.ROW;
        }
    }

    private boolean isReading() {
        return get() == READING;
    }

    /** Comes from where the rows come from, so not at the same time as one of them. */
    private void fail(Throwable error) {
        if (leave(LEFT) || compareAndSet(LEFT_BEHIND, MISSED)) {
            actual.onError(error);
        }
    }

    /** Comes from where the rows come from, when a subscriber who has been left behind does not get one. */
    private void refuse() {
        if (compareAndSet(LEFT_BEHIND, MISSED)) {
            actual.onError(Lease.refusal());
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
        if (cancels && how == LEFT) {
            unread.remove(this);
            subscription.cancel();
        } else {
            subscription.request(Long.MAX_VALUE);
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
    @SuppressWarnings("unchecked")
    public void onNext(Object element) {
        if (element == Dropped.ROW) {
            return;
        }
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
        end(error);
    }

    @Override
    public void onComplete() {
        end(filterFailure);
    }

    private void end(@Nullable Throwable error) {
        unread.remove(this);
        int before = getAndSet(LEFT);
        if (error != null && (before == LEFT_BEHIND || before == MISSED)) {
            unread.failed(error);
        }
        if (before == LEFT || before == MISSED) {
            return;
        }
        if (error != null) {
            actual.onError(error);
        } else {
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
