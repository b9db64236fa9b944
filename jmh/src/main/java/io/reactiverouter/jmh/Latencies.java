package io.reactiverouter.jmh;

import org.HdrHistogram.ConcurrentHistogram;

/** Latencies of one side, to three digits. Threads may record at the same time. */
final class Latencies {

    private static final double NANOS_PER_MILLI = 1e6;

    private final ConcurrentHistogram nanos = new ConcurrentHistogram(3);

    /** What is asked of latencies, in milliseconds. */
    record Percentiles(long count, double p50Millis, double p99Millis, double p999Millis, double maxMillis) {}

    /** Records the time since {@code start}, a value of {@link System#nanoTime()}. */
    void since(long start) {
        nanos.recordValue(Math.max(0, System.nanoTime() - start));
    }

    /** Forgets all. No thread may record meanwhile. */
    void forget() {
        nanos.reset();
    }

    Percentiles percentiles() {
        return new Percentiles(nanos.getTotalCount(), millis(50), millis(99), millis(99.9), millis(100));
    }

    private double millis(double percentile) {
        return nanos.getValueAtPercentile(percentile) / NANOS_PER_MILLI;
    }
}
