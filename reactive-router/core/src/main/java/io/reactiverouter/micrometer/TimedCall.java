package io.reactiverouter.micrometer;

import io.reactiverouter.micrometer.CallMeters.CallTimers;
import io.reactiverouter.observation.CallKind;
import io.reactiverouter.observation.CallProgress;
import io.reactiverouter.stream.Watcher;
import io.reactiverouter.topology.ShardId;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/** One subscription of a call; its attempts find it in their context. */
final class TimedCall implements Watcher, CallProgress {

    private final CallMetrics metrics;
    private final CallMeters meters;
    private final CallTimers timers;
    private final CallKind kind;
    private final long start = System.nanoTime();
    private volatile boolean partial;

    TimedCall(CallMetrics metrics, CallMeters meters, CallTimers timers, CallKind kind) {
        this.metrics = metrics;
        this.meters = meters;
        this.timers = timers;
        this.kind = kind;
    }

    /** Returns what {@code metrics} counts of the call that is under way, null if there is none. */
    static @Nullable CallMeters meters(CallMetrics metrics, ContextView context) {
        TimedCall timed = context.getOrDefault(metrics, null);
        return timed == null ? null : timed.meters;
    }

    @Override
    public Context context(Context ofSubscriber) {
        Context with = ofSubscriber.put(metrics, this);
        return kind == CallKind.SCATTER ? in(with) : with;
    }

    @Override
    public void asking(int shards) {
        meters.asking(shards);
    }

    @Override
    public void tolerated(ShardId shard, Throwable failure) {
        partial = true;
    }

    @Override
    public void ended(End end, boolean answered, @Nullable Throwable error) {
        timers.of(end, partial).record(System.nanoTime() - start, TimeUnit.NANOSECONDS);
    }
}
