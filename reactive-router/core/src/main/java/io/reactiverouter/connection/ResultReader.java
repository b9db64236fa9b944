package io.reactiverouter.connection;

import io.r2dbc.spi.R2dbcException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;
import reactor.core.publisher.Sinks;
import reactor.util.context.Context;

/**
 * Somebody who reads what the server answers. If the work ends while the subscriber still waits, perhaps without asking for
 * more, what is left is asked for here, since whatever is asked next waits behind it: if more rows come they are dropped, or a
 * cursor is closed, and the subscriber gets an error in their place. Its value says whether it still reads.
 */
class ResultReader<T> extends AtomicInteger implements CoreSubscriber<Object>, Subscription, Unread.Answer {

    private static final long serialVersionUID = 1L;

    private static final int READING = 0;

    /** The subscriber has cancelled, or has everything or its error: it gets no more signals. */
    private static final int LEFT = 1;

    /** The work is over, and the subscriber still waits. */
    private static final int LEFT_BEHIND = 2;

    /** It has been left behind, and has its error for the rows that it missed. */
    private static final int MISSED = 3;

    private final transient CoreSubscriber<? super T> actual;
    final transient Unread unread;
    private final Rest rest;

    /** Whose cancel makes the server send no more portions, null if there are none or all of them are read. */
    private final transient @Nullable ResultReader<?> cursor;

    private transient Sinks.@Nullable Empty<Void> leaving;
    private transient volatile @Nullable Subscription upstream;

    /** Whether nobody wants more of the cursor. */
    private transient volatile boolean unwanted;

    /** What becomes of the rest when the subscriber leaves. */
    enum Rest {
        /** The driver drops it. */
        CANCELLED,

        /** The server does not send more than the portion at hand. */
        CLOSED,

        /** It is read and dropped. */
        READ
    }

    /**
     * Creates a reader.
     *
     * @param results the reader of the results of a cursor, whose result this reads; null for others
     */
    ResultReader(CoreSubscriber<? super T> actual, Unread unread, Rest rest, @Nullable CursorResults results) {
        this.actual = actual;
        this.unread = unread;
        this.rest = rest;
        this.cursor = rest == Rest.CLOSED ? this : results;
    }

    /** Begins to read. */
    void read(Publisher<?> source) {
        unread.add(this);
        source.subscribe(this);
    }

    /** Returns what completes when the subscriber leaves before the end. To be called once, before {@link #read}. */
    Mono<Void> untilLeft() {
        Sinks.Empty<Void> ended = Sinks.empty();
        leaving = ended;
        return ended.asMono();
    }

    boolean isReading() {
        return get() == READING;
    }

    /** Says whether the subscriber waits for something, be it an error for what it misses. */
    boolean isWaiting() {
        int state = get();
        return state == READING || state == LEFT_BEHIND;
    }

    /** Says whether the subscriber has cancelled, or has everything or its error. */
    boolean hasLeft() {
        return get() == LEFT;
    }

    /** Says whether nobody wants more of the cursor. */
    boolean isUnwanted() {
        return unwanted;
    }

    /** Notes an error of the server that the subscriber does not get, unless it has left. */
    void missed(R2dbcException error) {
        if (!hasLeft()) {
            unread.failed(error);
        }
    }

    /** Comes from where the rows come from, so not at the same time as one of them. */
    void fail(Throwable error) {
        if (leave(LEFT)) {
            actual.onError(error);
        } else {
            miss(error);
        }
    }

    /** Comes when a subscriber who has been left behind does not get something. */
    void refuse() {
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
        if (how == LEFT) {
            abandon(subscription);
        } else {
            subscription.request(Long.MAX_VALUE);
        }
        if (unwanted) {
            close();
        }
    }

    /** Gives up what a subscriber who has left does not read. */
    void abandon(Subscription subscription) {
        if (rest == Rest.READ) {
            subscription.request(Long.MAX_VALUE);
            closeCursor();
        } else {
            stop(subscription);
        }
    }

    private void stop(Subscription subscription) {
        unread.remove(this);
        subscription.cancel();
    }

    /** Notes that nobody wants more of a cursor, whose server then sends no more portions. */
    private void closeCursor() {
        ResultReader<?> closed = cursor;
        if (closed != null) {
            closed.unwanted();
        }
    }

    /** Notes that nobody wants more of the cursor. */
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
        if (element instanceof ResultMapping.Dropped dropped) {
            if (dropped == ResultMapping.Dropped.SKIPPED) {
                request(1);
            }
            return;
        }
        pass(element);
    }

    /** Gives an element to the subscriber, or drops it. */
    @SuppressWarnings("unchecked")
    void pass(Object element) {
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
