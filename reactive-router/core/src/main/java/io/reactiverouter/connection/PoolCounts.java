package io.reactiverouter.connection;

import io.reactiverouter.observation.CloseReason;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import reactor.pool.PoolMetricsRecorder;

/**
 * What has happened in one pool since the start of the cluster. Nothing is counted, and no time is taken, where an idle
 * connection is handed out.
 */
final class PoolCounts implements PoolMetricsRecorder {

    private final LongAdder waits = new LongAdder();
    private final LongAdder timeouts = new LongAdder();
    private final LongAdder rejected = new LongAdder();
    private final LongAdder opened = new LongAdder();
    private final Map<CloseReason, LongAdder> closed = new ConcurrentHashMap<>();

    /** Of callers who get a connection and of those who leave. */
    @Override
    public void recordPendingSuccessAndLatency(long millis) {
        waits.increment();
    }

    @Override
    public void recordPendingFailureAndLatency(long millis) {
        waits.increment();
    }

    @Override
    public void recordAllocationSuccessAndLatency(long millis) {}

    @Override
    public void recordAllocationFailureAndLatency(long millis) {}

    @Override
    public void recordResetLatency(long millis) {}

    @Override
    public void recordDestroyLatency(long millis) {}

    @Override
    public void recordRecycled() {}

    @Override
    public void recordLifetimeDuration(long millis) {}

    @Override
    public void recordIdleTime(long millis) {}

    @Override
    public void recordSlowPath() {}

    @Override
    public void recordFastPath() {}

    void timedOut() {
        timeouts.increment();
    }

    void rejected() {
        rejected.increment();
    }

    void opened() {
        opened.increment();
    }

    void closed(CloseReason reason) {
        closed.computeIfAbsent(reason, added -> new LongAdder()).increment();
    }

    /** Returns the statistics of a pool that has these figures at this moment. */
    PoolStatistics with(int max, int allocated, int acquired, int idle, int pending) {
        Map<CloseReason, Long> ended = new EnumMap<>(CloseReason.class);
        for (CloseReason reason : CloseReason.values()) {
            LongAdder count = closed.get(reason);
            ended.put(reason, count == null ? 0L : count.sum());
        }
        return new PoolStatistics(
                max,
                allocated,
                acquired,
                idle,
                pending,
                waits.sum(),
                timeouts.sum(),
                rejected.sum(),
                // After those that were closed, so that there are never more of those.
                opened.sum(),
                Collections.unmodifiableMap(ended));
    }
}
