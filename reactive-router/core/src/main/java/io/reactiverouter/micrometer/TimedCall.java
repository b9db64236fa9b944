package io.reactiverouter.micrometer;

import io.reactiverouter.micrometer.CallMetrics.Outcome;
import io.reactiverouter.observation.CallInfo;
import io.reactiverouter.observation.CallKind;
import io.reactiverouter.observation.CallProgress;
import io.reactiverouter.stream.Watcher;
import io.reactiverouter.topology.ShardId;
import org.jspecify.annotations.Nullable;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/** One subscription of a call; its attempts find it in their context. */
final class TimedCall implements Watcher, CallProgress {

    private final CallMetrics metrics;
    private final CallInfo call;
    private final long start = System.nanoTime();
    private volatile boolean partial;

    TimedCall(CallMetrics metrics, CallInfo call) {
        this.metrics = metrics;
        this.call = call;
    }

    /** Returns the call that is under way, null if there is none. */
    static @Nullable CallInfo of(ContextView context) {
        TimedCall timed = context.getOrDefault(TimedCall.class, null);
        return timed == null ? null : timed.call;
    }

    @Override
    public Context context(Context ofSubscriber) {
        Context with = ofSubscriber.put(TimedCall.class, this);
        return call.kind() == CallKind.SCATTER ? in(with) : with;
    }

    @Override
    public void asking(int shards) {
        metrics.asking(call, shards);
    }

    @Override
    public void tolerated(ShardId shard, Throwable failure) {
        partial = true;
    }

    @Override
    public void ended(End end, boolean answered, @Nullable Throwable error) {
        metrics.ended(call, Outcome.of(end, partial), System.nanoTime() - start);
    }
}
