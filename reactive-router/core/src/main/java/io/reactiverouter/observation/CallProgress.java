package io.reactiverouter.observation;

import io.reactiverouter.topology.ShardId;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/**
 * Hears how a scatter-gather goes on. Whoever watches calls puts one into the Reactor context of the call with {@link #in}.
 * Methods run on event loops, for different shards at the same time: they must be thread-safe, and must neither block nor throw.
 */
public interface CallProgress {

    /** Hears nothing. */
    CallProgress NONE = new CallProgress() {};

    /** The call is about to ask so many shards. */
    default void asking(int shards) {}

    /** A shard has failed, and the call goes on without it, as its failure policy permits: the answer is partial. */
    default void tolerated(ShardId shard, Throwable failure) {}

    /** Returns the context with this in it, beside what is in it already. */
    default Context in(Context context) {
        CallProgress outer = of(context);
        return context.put(CallProgress.class, outer == NONE ? this : new BothProgress(outer, this));
    }

    /** Returns what is in a context, or {@link #NONE}. */
    static CallProgress of(ContextView context) {
        CallProgress progress = context.getOrDefault(CallProgress.class, null);
        return progress == null ? NONE : progress;
    }
}
