package io.reactiverouter.spring;

import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.Shards;
import java.util.List;

/** The first of some shards. */
record OneShard(Shards shards) implements Shards {

    @Override
    public List<ShardNode> nodes() {
        return shards.nodes().subList(0, 1);
    }

    /** Leaves the shards to their owner. */
    @Override
    public void close() {}
}
