package io.reactiverouter.connection;

import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import reactor.core.Exceptions;

/** Answers of the server to what it was sent, as long as the owner of the connection has not read them. */
final class Unread {

    /** Most owners read one answer after the other, for which this place is enough. */
    private final AtomicReference<@Nullable Answer> first = new AtomicReference<>();

    private final Set<Answer> others = ConcurrentHashMap.newKeySet();
    private final ReferenceQueue<Object> lost = new ReferenceQueue<>();

    /** Whether one of the answers may be one that somebody has left with. */
    private volatile boolean anyLeft;

    private final AtomicInteger sends = new AtomicInteger();
    private volatile boolean drained;
    private volatile @Nullable Throwable failure;

    /** Adds an answer; after {@link #drain()} it is read and dropped. */
    void add(Answer answer) {
        if (!first.compareAndSet(null, answer)) {
            others.add(answer);
        }
        if (drained) {
            answer.drain();
        }
        for (Reference<?> gone = lost.poll(); gone != null; gone = lost.poll()) {
            ((Answer) gone).drain();
        }
    }

    void remove(Answer answer) {
        if (!first.compareAndSet(answer, null)) {
            others.remove(answer);
        }
    }

    /**
     * Reads all answers, now and later, and drops them; what is asked next stands behind them. Says whether one has not
     * come yet.
     */
    boolean drain() {
        // Before the look at what is there: an answer that comes at this moment is seen here or there.
        drained = true;
        Answer one = first.get();
        boolean any = one != null && one.drain();
        for (Answer other : others) {
            any |= other.drain();
        }
        return any;
    }

    /** Returns a number that is another one after each {@link #sending()}. */
    int sends() {
        return sends.get();
    }

    /**
     * Notes that somebody has left with the result of a cursor, whose rows nobody may ever read.
     *
     * @param since the {@link #sends()} after which a statement that is sent drops the result
     */
    void leftWith(Keyed result, int since) {
        result.left = true;
        anyLeft = true;
        if (sends.get() != since) {
            result.drain();
        }
    }

    /** Notes that a statement is about to be sent, which would wait behind results that somebody has left with. */
    void sending() {
        sends.incrementAndGet();
        if (anyLeft) {
            dropLeft();
        }
    }

    private void dropLeft() {
        anyLeft = false;
        dropIfLeft(first.get());
        others.forEach(Unread::dropIfLeft);
    }

    private static void dropIfLeft(@Nullable Answer answer) {
        if (answer instanceof Keyed result && result.left) {
            result.drain();
        }
    }

    boolean isDrained() {
        return drained;
    }

    /** Notes that an answer which was dropped was an error. */
    void failed(Throwable error) {
        if (failure == null) {
            failure = ofServer(error);
        }
    }

    /** Returns the first error among the answers that were dropped, null if there was none. */
    @Nullable Throwable failure() {
        return failure;
    }

    /** Returns the error that the driver got: where it cuts answers into results it wraps what ends one of them. */
    static Throwable ofServer(Throwable error) {
        Throwable cause = error.getCause();
        return error instanceof Exceptions.SourceException && cause != null ? cause : error;
    }

    /** An answer. */
    interface Answer {

        /** Reads what is left of it and drops that; says whether some of it has not come yet. */
        boolean drain();
    }

    /** An answer that only the holders of {@code key} can read: without them it is read and dropped here some time. */
    abstract static class Keyed extends WeakReference<Object> implements Answer {

        /** Whether somebody has left with it, who may never read it. */
        private volatile boolean left;

        Keyed(Object key, Unread unread) {
            super(key, unread.lost);
        }
    }
}
