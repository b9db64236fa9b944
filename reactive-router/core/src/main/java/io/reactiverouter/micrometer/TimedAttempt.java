package io.reactiverouter.micrometer;

import io.reactiverouter.micrometer.CallMetrics.AttemptTimers;
import java.util.concurrent.TimeUnit;
import reactor.core.observability.DefaultSignalListener;

/** One attempt on a node. */
final class TimedAttempt<T> extends DefaultSignalListener<T> {

    private final AttemptTimers timers;
    private final long start = System.nanoTime();
    private boolean begun;

    TimedAttempt(AttemptTimers timers) {
        this.timers = timers;
    }

    @Override
    public void doOnNext(T row) {
        if (!begun) {
            begun = true;
            timers.firstRow().record(System.nanoTime() - start, TimeUnit.NANOSECONDS);
        }
    }

    @Override
    public void doOnComplete() {
        timers.success().record(System.nanoTime() - start, TimeUnit.NANOSECONDS);
    }

    @Override
    public void doOnError(Throwable error) {
        timers.error().record(System.nanoTime() - start, TimeUnit.NANOSECONDS);
    }

    @Override
    public void doOnCancel() {
        timers.cancelled().record(System.nanoTime() - start, TimeUnit.NANOSECONDS);
    }
}
