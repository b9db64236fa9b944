package io.reactiverouter.observation;

import io.reactiverouter.topology.ShardId;

/** One after the other. */
record BothProgress(CallProgress first, CallProgress second) implements CallProgress {

    @Override
    public void asking(int shards) {
        first.asking(shards);
        second.asking(shards);
    }

    @Override
    public void tolerated(ShardId shard, Throwable failure) {
        first.tolerated(shard, failure);
        second.tolerated(shard, failure);
    }
}
