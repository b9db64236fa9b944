package io.reactiverouter.reliability;

import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;

/** Notes for how long this JVM got no processor, so that a busy machine is not taken for a late answer. */
final class Stalls implements AutoCloseable {

    private static final long TICK = Duration.ofMillis(20).toNanos();
    private static final long NOTABLE = Duration.ofMillis(100).toNanos();

    private record Stall(long begin, long end) {}

    private final Queue<Stall> seen = new ConcurrentLinkedQueue<>();
    private final Thread watch = new Thread(this::watch, "reliability-stalls");
    private volatile boolean closed;

    Stalls() {
        watch.setDaemon(true);
        watch.start();
    }

    private void watch() {
        while (!closed) {
            long begin = System.nanoTime();
            LockSupport.parkNanos(TICK);
            long end = System.nanoTime();
            if (end - begin - TICK > NOTABLE) {
                seen.add(new Stall(begin, end));
            }
        }
    }

    /** Returns how many nanoseconds were lost from a moment on. */
    long since(long moment) {
        return seen.stream()
                .filter(stall -> stall.end() - moment > 0)
                .mapToLong(stall -> stall.end() - stall.begin())
                .sum();
    }

    /** Returns the longest of them. */
    Duration longest() {
        return Duration.ofNanos(seen.stream()
                .mapToLong(stall -> stall.end() - stall.begin())
                .max()
                .orElse(0));
    }

    @Override
    public void close() {
        closed = true;
    }
}
