package io.reactiverouter.observation;

import io.reactiverouter.stream.Watched;
import io.reactiverouter.stream.Watcher;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.util.Logger;
import reactor.util.Loggers;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/**
 * Writes statements to the log {@value #LOGGER}, never with their parameters: those that take longer than a threshold at level
 * WARN, at most one line per shard and second, and all of them at level DEBUG, which can be switched while the application runs, for calls that
 * are made from then on.
 * The time is that of one attempt on a node: the wait for a connection, and of a stream the time that its reader took, are in
 * it. What callers do with a connection has no statement to show. Thread-safe.
 */
public final class SqlLog implements CallInstrumentation {

    /** The name of the log. */
    public static final String LOGGER = "io.reactiverouter.sql";

    private static final int MAX_LENGTH = 1_000;
    private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final Logger LOG = Loggers.getLogger(LOGGER);

    private final long thresholdNanos;
    private final LongSupplier nanoTime;
    private final Map<ShardId, Limit> limits = new ConcurrentHashMap<>();

    /**
     * @param threshold of what counts as slow; null for never
     * @throws IllegalArgumentException if it is not positive
     */
    public SqlLog(@Nullable Duration threshold) {
        this(threshold, System::nanoTime);
    }

    SqlLog(@Nullable Duration threshold, LongSupplier nanoTime) {
        if (threshold != null && (threshold.isNegative() || threshold.isZero())) {
            throw new IllegalArgumentException("threshold of slow statements must be positive, was " + threshold);
        }
        this.thresholdNanos = threshold == null ? Long.MAX_VALUE : threshold.toNanos();
        this.nanoTime = nanoTime;
    }

    private boolean isOff() {
        return thresholdNanos == Long.MAX_VALUE && !LOG.isDebugEnabled();
    }

    @Override
    public <T> Flux<T> call(CallInfo call, Flux<T> answer) {
        return isOff() ? answer : Watched.by(context -> new InContext(call), answer);
    }

    @Override
    public <T> Flux<T> attempt(NodeCall attempt, Flux<T> answer) {
        return isOff() ? answer : Watched.by(context -> new Attempt(this, attempt, call(context)), answer);
    }

    private static @Nullable CallInfo call(ContextView context) {
        return context.getOrDefault(SqlLog.class, null);
    }

    void ended(NodeCall attempt, @Nullable CallInfo call, long nanos, String end) {
        if (nanos >= thresholdNanos) {
            Limit limit = limits.computeIfAbsent(attempt.node().shard(), shard -> new Limit());
            long before = limit.next(nanoTime.getAsLong());
            if (before >= 0) {
                LOG.warn(
                        "slow: {}{}",
                        describe(attempt, call, nanos, end),
                        before == 0 ? "" : "; " + before + " more not shown");
            }
        }
        if (LOG.isDebugEnabled()) {
            LOG.debug("{}", describe(attempt, call, nanos, end));
        }
    }

    private static String describe(NodeCall attempt, @Nullable CallInfo call, long nanos, String end) {
        String what = call == null
                ? "the router's own"
                : call.operation() + (call.keyspace() == null ? "" : " of " + call.keyspace());
        String sql = call == null || call.sql() == null ? "" : ": " + shortened(call.sql());
        return attempt.node() + " " + end + " after " + TimeUnit.NANOSECONDS.toMillis(nanos) + " ms, " + what + sql;
    }

    private static String shortened(String sql) {
        String line = sql.strip().replaceAll("\\s+", " ");
        return line.length() <= MAX_LENGTH ? line : line.substring(0, MAX_LENGTH) + "...";
    }

    /** At most one line each second. */
    static final class Limit {

        private final AtomicLong next = new AtomicLong(Long.MIN_VALUE);
        private final AtomicLong left = new AtomicLong();

        /** Returns how many were left out before this one, negative if this one is to be left out. */
        long next(long now) {
            long until = next.get();
            if ((until == Long.MIN_VALUE || now - until >= 0) && next.compareAndSet(until, now + PAUSE_NANOS)) {
                return left.getAndSet(0);
            }
            left.incrementAndGet();
            return -1;
        }
    }

    private record InContext(CallInfo call) implements Watcher {

        @Override
        public Context context(Context ofSubscriber) {
            return ofSubscriber.put(SqlLog.class, call);
        }

        @Override
        public void ended(End end, boolean answered, @Nullable Throwable error) {
            // Its attempts tell.
        }
    }

    private static final class Attempt implements Watcher {

        private final SqlLog log;
        private final NodeCall attempt;
        private final @Nullable CallInfo call;
        private final long start;

        Attempt(SqlLog log, NodeCall attempt, @Nullable CallInfo call) {
            this.log = log;
            this.attempt = attempt;
            this.call = call;
            this.start = log.nanoTime.getAsLong();
        }

        @Override
        public void ended(End end, boolean answered, @Nullable Throwable error) {
            String how =
                    switch (end) {
                        case COMPLETE -> "done";
                        case ERROR -> "failed";
                        case CANCEL -> "cancelled";
                    };
            log.ended(attempt, call, log.nanoTime.getAsLong() - start, how);
        }
    }
}
