package io.reactiverouter.failover;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.HdrHistogram.ConcurrentHistogram;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.SignalType;

/** How long the reads of a shard take to begin to answer. Thread-safe. */
final class Latencies {

    private static final int WINDOW = 100;
    private static final long LONGEST_MICROS = TimeUnit.MINUTES.toMicros(10);
    private static final int DIGITS = 2;
    private static final double PERCENTILE = 95;

    private final ConcurrentHistogram micros = new ConcurrentHistogram(LONGEST_MICROS, DIGITS);
    private final AtomicInteger count = new AtomicInteger();
    private volatile @Nullable Duration percentile;

    /** Returns what 95 of 100 did not exceed, of the last hundred or so; null before there have been as many. */
    @Nullable Duration percentile() {
        return percentile;
    }

    /** Counts an answer, up to its first signal; one that is cancelled before counts with the time until then. */
    <T> Flux<T> watch(Flux<T> answer) {
        return Flux.defer(() -> {
            Begun begun = new Begun();
            return answer.doOnNext(row -> begun.once()).doFinally((SignalType end) -> begun.once());
        });
    }

    private final class Begun {

        private final long start = System.nanoTime();
        private boolean done;

        void once() {
            if (!done) {
                done = true;
                record(TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - start));
            }
        }
    }

    private void record(long value) {
        micros.recordValue(Math.min(value, LONGEST_MICROS));
        if (count.incrementAndGet() % WINDOW == 0) {
            percentile = Duration.ofNanos(TimeUnit.MICROSECONDS.toNanos(micros.getValueAtPercentile(PERCENTILE)));
            micros.reset();
        }
    }
}
