package io.reactiverouter.micrometer;

import io.reactiverouter.micrometer.CallMetrics.Outcome;
import io.reactiverouter.observation.CallInfo;
import io.reactiverouter.observation.CallKind;
import io.reactiverouter.observation.CallProgress;
import io.reactiverouter.topology.ShardId;
import org.jspecify.annotations.Nullable;
import reactor.core.observability.DefaultSignalListener;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/** One subscription of a call; its attempts find it in their context. */
final class TimedCall<T> extends DefaultSignalListener<T> implements CallProgress {

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
        TimedCall<?> timed = context.getOrDefault(TimedCall.class, null);
        return timed == null ? null : timed.call;
    }

    @Override
    public Context addToContext(Context original) {
        Context with = original.put(TimedCall.class, this);
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
    public void doOnComplete() {
        ended(partial ? Outcome.PARTIAL : Outcome.SUCCESS);
    }

    @Override
    public void doOnError(Throwable error) {
        ended(Outcome.ERROR);
    }

    @Override
    public void doOnCancel() {
        ended(Outcome.CANCELLED);
    }

    private void ended(Outcome outcome) {
        metrics.ended(call, outcome, System.nanoTime() - start);
    }
}
