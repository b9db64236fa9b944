package io.reactiverouter.failover;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * Permits retries in proportion to calls, and a few for each second. Holds what was permitted and not used, up to that of ten
 * seconds and a thousand calls. Thread-safe; while it is full a call costs one read.
 */
final class RetryBudget {

    /** Parts of one retry that a call permits for each percent. */
    private static final long PART = 10;

    private static final long WHOLE = 100 * PART;
    private static final long SECONDS = 10;
    private static final long CALLS = 1_000;

    private final long perCall;
    private final long perSecond;
    private final long capacity;
    private final LongSupplier nanoTime;
    private final AtomicLong parts;
    private final AtomicLong refilledAt;

    RetryBudget(RetrySettings settings, LongSupplier nanoTime) {
        this.perCall = PART * settings.percent();
        this.perSecond = WHOLE * settings.perSecond();
        this.capacity = SECONDS * perSecond + CALLS * perCall;
        this.nanoTime = nanoTime;
        this.parts = new AtomicLong(capacity);
        this.refilledAt = new AtomicLong(nanoTime.getAsLong());
    }

    /** Counts a call. */
    void called() {
        if (parts.get() < capacity) {
            add(perCall);
        }
    }

    /** Says whether a retry is permitted, and counts it if so. */
    boolean permits() {
        refill();
        return parts.getAndUpdate(left -> left >= WHOLE ? left - WHOLE : left) >= WHOLE;
    }

    private void refill() {
        long now = nanoTime.getAsLong();
        long before = refilledAt.get();
        long millis = TimeUnit.NANOSECONDS.toMillis(now - before);
        if (millis > 0 && refilledAt.compareAndSet(before, before + TimeUnit.MILLISECONDS.toNanos(millis))) {
            add(Math.min(millis, TimeUnit.SECONDS.toMillis(SECONDS)) * perSecond / 1_000);
        }
    }

    private void add(long more) {
        parts.updateAndGet(left -> Math.min(capacity, left + more));
    }
}
