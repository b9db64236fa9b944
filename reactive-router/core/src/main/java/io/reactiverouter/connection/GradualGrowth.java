package io.reactiverouter.connection;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;
import reactor.pool.AllocationStrategy;

/**
 * Lets a pool open few connections at the same time: two, or three while it opens its smallest number of them. For the one who
 * waits longest one is opened; the others get the first that comes back or is opened. Each login costs its event loop
 * milliseconds: a whole pool that is opened again at once, as after a restart of its node, would stall the connections to all
 * other nodes that live on the same loops.
 */
final class GradualGrowth implements AllocationStrategy {

    /** One more than the usual limit of one, so that an attempt that hangs does not hold up all others. */
    static final int AT_ONCE = 2;

    private final int min;
    private final int max;
    private final IntSupplier opening;
    private final BooleanSupplier crowded;
    private final AtomicInteger granted = new AtomicInteger();

    /**
     * @param opening says how many connections are being opened
     * @param crowded says whether as many callers wait as may: rather than the next being refused while the pool can still grow,
     *     one of them gets a connection of its own
     */
    GradualGrowth(int min, int max, IntSupplier opening, BooleanSupplier crowded) {
        this.min = min;
        this.max = max;
        this.opening = opening;
        this.crowded = crowded;
    }

    @Override
    public int getPermits(int desired) {
        if (desired < 0 || granted.get() >= max || (opening.getAsInt() >= AT_ONCE && !crowded.getAsBoolean())) {
            return 0;
        }
        int before = granted.getAndUpdate(count -> count + more(count, desired));
        return more(before, desired);
    }

    private int more(int count, int desired) {
        return Math.min(Math.max(desired, min - count), max - count);
    }

    @Override
    public void returnPermits(int returned) {
        if (granted.addAndGet(-returned) < 0) {
            granted.addAndGet(returned);
            throw new IllegalArgumentException("pool returned " + returned + " permits, more than it had");
        }
    }

    @Override
    public int estimatePermitCount() {
        return max - granted.get();
    }

    /** Of the smallest number of connections, whose permits are granted at once. */
    @Override
    public int warmupParallelism() {
        return AT_ONCE;
    }

    @Override
    public int permitGranted() {
        return granted.get();
    }

    @Override
    public int permitMinimum() {
        return min;
    }

    @Override
    public int permitMaximum() {
        return max;
    }
}
