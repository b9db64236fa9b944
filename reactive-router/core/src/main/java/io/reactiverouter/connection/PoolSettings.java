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
 */
public record PoolSettings(
        int minSize, int maxSize, int maxPending, Duration acquireTimeout, Duration maxIdleTime, Duration maxLifetime) {

    /** The documented defaults. */
    public static final PoolSettings DEFAULTS =
            new PoolSettings(0, 10, 1_000, Duration.ofSeconds(5), Duration.ofMinutes(10), Duration.ofMinutes(30));

    public PoolSettings {
        Limits.atLeast("pool minSize", 0, minSize);
        Limits.atLeast("pool maxSize", 1, maxSize);
        Limits.atLeast("pool maxPending", 0, maxPending);
        Limits.positive("pool acquireTimeout", acquireTimeout);
        Limits.positive("pool maxIdleTime", maxIdleTime);
        Limits.positive("pool maxLifetime", maxLifetime);
        if (minSize > maxSize) {
            throw new IllegalArgumentException(
                    "pool sizes must satisfy minSize <= maxSize, were " + minSize + " and " + maxSize);
        }
    }

    public PoolSettings withMinSize(int size) {
        return new PoolSettings(size, maxSize, maxPending, acquireTimeout, maxIdleTime, maxLifetime);
    }

    public PoolSettings withMaxSize(int size) {
        return new PoolSettings(minSize, size, maxPending, acquireTimeout, maxIdleTime, maxLifetime);
    }

    public PoolSettings withMaxPending(int callers) {
        return new PoolSettings(minSize, maxSize, callers, acquireTimeout, maxIdleTime, maxLifetime);
    }

    public PoolSettings withAcquireTimeout(Duration timeout) {
        return new PoolSettings(minSize, maxSize, maxPending, timeout, maxIdleTime, maxLifetime);
    }

    public PoolSettings withMaxIdleTime(Duration time) {
        return new PoolSettings(minSize, maxSize, maxPending, acquireTimeout, time, maxLifetime);
    }

    public PoolSettings withMaxLifetime(Duration time) {
        return new PoolSettings(minSize, maxSize, maxPending, acquireTimeout, maxIdleTime, time);
    }
}
