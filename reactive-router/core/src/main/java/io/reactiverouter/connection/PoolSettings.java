package io.reactiverouter.connection;

import java.time.Duration;

/**
 * How many connections a node's pool holds and how long anyone waits for one. Every node has its own pool with these
 * settings.
 *
 * @param minSize connections that the pool opens with its first use and keeps; 0 by default
 * @param maxSize connections at most; 10 by default
 * @param maxPending callers that may wait while all connections are in use, the next one fails at once; 1 000 by default
 * @param acquireTimeout how long a caller waits, opening a connection included; 5 s by default
 * @param maxIdleTime after which an unused connection is closed; 10 min by default
 * @param maxLifetime after which a connection is closed when it comes back or lies idle; for each connection up to a tenth
 *     less, so that those opened together do not end together; 30 min by default
 * @param leakThreshold how long a connection may be out of the pool before that is reported, once: with a warning in the log and
 *     {@link io.reactiverouter.observation.ClusterListener#leakSuspected}, both with the stack trace of who asked for it. Zero,
 *     the default, is never, and costs nothing; otherwise each call costs a stack trace. Every connection is watched, whoever
 *     has it: one of {@code connection()} that is not closed, work that does not end, and a stream whose reader has stopped.
 *     Set it higher than the longest call
 */
public record PoolSettings(
        int minSize,
        int maxSize,
        int maxPending,
        Duration acquireTimeout,
        Duration maxIdleTime,
        Duration maxLifetime,
        Duration leakThreshold) {

    /** The documented defaults. */
    public static final PoolSettings DEFAULTS = new PoolSettings(
            0, 10, 1_000, Duration.ofSeconds(5), Duration.ofMinutes(10), Duration.ofMinutes(30), Duration.ZERO);

    public PoolSettings {
        Limits.atLeast("pool minSize", 0, minSize);
        Limits.atLeast("pool maxSize", 1, maxSize);
        Limits.atLeast("pool maxPending", 0, maxPending);
        Limits.positive("pool acquireTimeout", acquireTimeout);
        Limits.positive("pool maxIdleTime", maxIdleTime);
        Limits.positive("pool maxLifetime", maxLifetime);
        Limits.notNegative("pool leakThreshold", leakThreshold);
        if (minSize > maxSize) {
            throw new IllegalArgumentException(
                    "pool sizes must satisfy minSize <= maxSize, were " + minSize + " and " + maxSize);
        }
    }

    public PoolSettings withMinSize(int size) {
        return new PoolSettings(size, maxSize, maxPending, acquireTimeout, maxIdleTime, maxLifetime, leakThreshold);
    }

    public PoolSettings withMaxSize(int size) {
        return new PoolSettings(minSize, size, maxPending, acquireTimeout, maxIdleTime, maxLifetime, leakThreshold);
    }

    public PoolSettings withMaxPending(int callers) {
        return new PoolSettings(minSize, maxSize, callers, acquireTimeout, maxIdleTime, maxLifetime, leakThreshold);
    }

    public PoolSettings withAcquireTimeout(Duration timeout) {
        return new PoolSettings(minSize, maxSize, maxPending, timeout, maxIdleTime, maxLifetime, leakThreshold);
    }

    public PoolSettings withMaxIdleTime(Duration time) {
        return new PoolSettings(minSize, maxSize, maxPending, acquireTimeout, time, maxLifetime, leakThreshold);
    }

    public PoolSettings withMaxLifetime(Duration time) {
        return new PoolSettings(minSize, maxSize, maxPending, acquireTimeout, maxIdleTime, time, leakThreshold);
    }

    public PoolSettings withLeakThreshold(Duration time) {
        return new PoolSettings(minSize, maxSize, maxPending, acquireTimeout, maxIdleTime, maxLifetime, time);
    }
}
