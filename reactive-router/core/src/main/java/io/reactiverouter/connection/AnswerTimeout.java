package io.reactiverouter.connection;

import io.netty.util.Timeout;
import io.netty.util.Timer;
import io.netty.util.TimerTask;
import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxOperator;
import reactor.core.publisher.Operators;
import reactor.util.context.Context;

/**
 * Ends a stream with {@link CallTimeoutException} when its source lets the subscriber wait for too long: from subscription
 * to the first signal and from each signal to the next, counted only while the subscriber has asked for more. A slow
 * subscriber therefore never runs into it, which is what sets it apart from {@link Flux#timeout(Duration)}. A
 * {@link Deadline} beside it is absolute.
 */
public final class AnswerTimeout<T> extends FluxOperator<T, T> {

    private final ShardId shard;
    private final @Nullable Duration timeout;
    private final @Nullable Deadline deadline;
    private final Supplier<CallTimeoutException.Consequence> consequence;
    private final Timer timer;

    private AnswerTimeout(
            Flux<? extends T> source,
            ShardId shard,
            @Nullable Duration timeout,
            @Nullable Deadline deadline,
            Supplier<CallTimeoutException.Consequence> consequence,
            Timer timer) {
        super(source);
        this.shard = shard;
        this.timeout = timeout;
        this.deadline = deadline;
        this.consequence = consequence;
        this.timer = timer;
    }

    /** Returns {@code source}, whose cancel cancels its statement, with this limit; itself where there is none. */
    public static <T> Flux<T> limit(Flux<T> source, ShardId shard, @Nullable Duration timeout) {
        return limit(source, shard, timeout, null, () -> CallTimeoutException.Consequence.CANCELLED);
    }

    /**
     * Returns {@code source} with these limits, null for none; it is not subscribed to when the deadline is over by then. When
     * time is up {@code consequence} is asked, before the cancel, what that brings about.
     */
    public static <T> Flux<T> limit(
            Flux<T> source,
            ShardId shard,
            @Nullable Duration timeout,
            @Nullable Deadline deadline,
            Supplier<CallTimeoutException.Consequence> consequence) {
        return timeout == null && deadline == null
                ? source
                : Flux.onAssembly(new AnswerTimeout<>(source, shard, timeout, deadline, consequence, TimeLimits.TIMER));
    }

    /** For tests, which have timers of their own. */
    static <T> Flux<T> limit(Flux<T> source, ShardId shard, Duration timeout, Timer timer) {
        return new AnswerTimeout<>(
                source, shard, timeout, null, () -> CallTimeoutException.Consequence.CANCELLED, timer);
    }

    /**
     * Returns {@code timeout}.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    public static Duration require(Duration timeout) {
        Limits.positive("timeout", timeout);
        return timeout;
    }

    @Override
    public void subscribe(CoreSubscriber<? super T> actual) {
        if (deadline != null && deadline.isOver()) {
            CallTimeoutException.Consequence known = consequence.get();
            CallTimeoutException.Consequence notRun = known == CallTimeoutException.Consequence.CANCELLED
                    ? CallTimeoutException.Consequence.NOT_RUN
                    : known;
            Operators.error(actual, CallTimeoutException.deadline(shard, deadline.limit(), notRun));
            return;
        }
        source.subscribe(new Waiting<>(actual, this));
    }

    /**
     * One task of the timer per subscription, whatever the number of rows: it looks how long the wait has been and
     * comes back when the limit could be reached. {@code state} keeps the time-out and the source from signalling at the
     * same time: the time-out signals only if it moves it from IDLE to ENDED. A source may signal from within onNext.
     */
    private static final class Waiting<T> implements CoreSubscriber<T>, Subscription, TimerTask {

        private static final int IDLE = 0;
        private static final int EMITTING = 1;
        private static final int ENDED = 2;

        private static final String QUERY_CANCELED = "57014";
        private static final long BUSY_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

        @SuppressWarnings("rawtypes")
        private static final AtomicLongFieldUpdater<Waiting> REQUESTED =
                AtomicLongFieldUpdater.newUpdater(Waiting.class, "requested");

        private final CoreSubscriber<? super T> actual;
        private final AnswerTimeout<?> settings;
        private final long timeoutNanos;
        private final @Nullable Deadline deadline;
        private final AtomicInteger state = new AtomicInteger(IDLE);
        private volatile @Nullable Timeout task;
        private volatile long requested;
        private volatile long waitingSince;
        private @Nullable Subscription upstream;

        Waiting(CoreSubscriber<? super T> actual, AnswerTimeout<?> settings) {
            this.actual = actual;
            this.settings = settings;
            this.timeoutNanos = settings.timeout == null ? Long.MAX_VALUE : settings.timeout.toNanos();
            this.deadline = settings.deadline;
        }

        @Override
        public Context currentContext() {
            return actual.currentContext();
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            if (Operators.validate(upstream, subscription)) {
                upstream = subscription;
                waitingSince = System.nanoTime();
                actual.onSubscribe(this);
                if (state.get() != ENDED) {
                    schedule(timeoutNanos);
                }
            }
        }

        @Override
        public void onNext(T row) {
            boolean outermost = state.compareAndSet(IDLE, EMITTING);
            if (!outermost && state.get() == ENDED) {
                Operators.onDiscard(row, actual.currentContext());
                return;
            }
            Operators.produced(REQUESTED, this, 1);
            actual.onNext(row);
            if (outermost) {
                // Not before: what the subscriber does with a row is its own time.
                waitingSince = System.nanoTime();
                state.compareAndSet(EMITTING, IDLE);
            }
        }

        @Override
        public void onError(Throwable error) {
            if (state.getAndSet(ENDED) != ENDED) {
                lift();
                actual.onError(isServersLimit(error) ? late(error) : error);
            }
            // Otherwise nobody waits for it any more: an error after a cancel is nothing that needs a log.
        }

        /** The server knows the deadline too, and this client may have been too busy to look at its clock. */
        private boolean isServersLimit(Throwable error) {
            return deadline != null
                    && deadline.isOver()
                    && error instanceof R2dbcException refusal
                    && QUERY_CANCELED.equals(refusal.getSqlState());
        }

        private CallTimeoutException late(Throwable error) {
            CallTimeoutException late = error(true);
            late.addSuppressed(error);
            return late;
        }

        @Override
        public void onComplete() {
            if (state.getAndSet(ENDED) != ENDED) {
                lift();
                actual.onComplete();
            }
        }

        @Override
        public void request(long n) {
            if (Operators.validate(n)) {
                if (requested == 0) {
                    waitingSince = System.nanoTime();
                }
                Operators.addCap(REQUESTED, this, n);
                upstream().request(n);
            }
        }

        @Override
        public void cancel() {
            state.set(ENDED);
            lift();
            upstream().cancel();
        }

        @Override
        public void run(Timeout timeout) {
            if (state.get() == ENDED) {
                return;
            }
            // In this order: demand that is seen here has set the time before.
            boolean idle = requested == 0;
            long waited = System.nanoTime() - waitingSince;
            boolean over = deadline != null && deadline.isOver();
            if (!over && (idle || waited < timeoutNanos)) {
                schedule(idle ? timeoutNanos : timeoutNanos - waited);
            } else if (state.compareAndSet(IDLE, ENDED)) {
                CallTimeoutException error = error(over);
                upstream().cancel();
                actual.onError(error);
            } else {
                // The subscriber is at work on a row.
                schedule(over ? BUSY_NANOS : timeoutNanos);
            }
        }

        private CallTimeoutException error(boolean over) {
            Deadline end = deadline;
            Duration limit = settings.timeout;
            CallTimeoutException.Consequence consequence = settings.consequence.get();
            return limit == null || (over && end != null)
                    ? CallTimeoutException.deadline(
                            settings.shard, Objects.requireNonNull(end).limit(), consequence)
                    : new CallTimeoutException(settings.shard, limit, consequence);
        }

        private void schedule(long nanos) {
            long delay = deadline == null ? nanos : Math.min(nanos, Math.max(BUSY_NANOS, deadline.remainingNanos()));
            Timeout next = settings.timer.newTimeout(this, delay, TimeUnit.NANOSECONDS);
            // If this thread has paused for longer than the delay, it is not the last one, which must not be cancelled.
            task = next;
            if (state.get() == ENDED) {
                next.cancel();
            }
        }

        private void lift() {
            Timeout set = task;
            if (set != null) {
                set.cancel();
            }
        }

        private Subscription upstream() {
            Subscription subscription = upstream;
            if (subscription == null) {
                throw new IllegalStateException("not subscribed");
            }
            return subscription;
        }
    }
}
