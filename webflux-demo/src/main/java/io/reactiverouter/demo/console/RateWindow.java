package io.reactiverouter.demo.console;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;

/** Makes a rate of a count that is read now and then. Not thread-safe. */
final class RateWindow {

    private static final long WINDOW_NANOS = Duration.ofSeconds(5).toNanos();

    private record Reading(long nanoTime, long count) {}

    private final Deque<Reading> readings = new ArrayDeque<>();

    /**
     * Adds a reading and returns how much has come each second over the last five; 0 for the first reading after a pause.
     *
     * @param nanoTime of {@link System#nanoTime()}
     */
    double add(long nanoTime, long count) {
        readings.removeIf(reading -> nanoTime - reading.nanoTime() > WINDOW_NANOS);
        readings.addLast(new Reading(nanoTime, count));
        Reading first = readings.getFirst();
        long elapsed = nanoTime - first.nanoTime();
        return elapsed <= 0 ? 0 : (count - first.count()) * (double) TimeUnit.SECONDS.toNanos(1) / elapsed;
    }
}
