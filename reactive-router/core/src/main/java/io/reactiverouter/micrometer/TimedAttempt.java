package io.reactiverouter.micrometer;

import io.reactiverouter.micrometer.CallMeters.AttemptTimers;
import io.reactiverouter.stream.Watcher;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import reactor.util.context.Context;

/** One attempt on a node. */
final class TimedAttempt implements Watcher {

    private final CallMetrics metrics;
    private final AttemptTimers timers;
    private final long start = System.nanoTime();

    TimedAttempt(CallMetrics metrics, AttemptTimers timers) {
        this.metrics = metrics;
        this.timers = timers;
    }

    /** What the call has put in is of use to attempts alone: the driver copies the context again and again. */
    @Override
    public Context context(Context ofSubscriber) {
        return ofSubscriber.delete(metrics);
    }

    @Override
    public void first() {
        timers.firstRow().record(System.nanoTime() - start, TimeUnit.NANOSECONDS);
    }

    @Override
    public void ended(End end, boolean answered, @Nullable Throwable error) {
        timers.of(end).record(System.nanoTime() - start, TimeUnit.NANOSECONDS);
    }
}
