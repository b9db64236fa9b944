package io.reactiverouter.routing;

import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardingStrategy;

/**
 * Where the rows of a keyspace live at one moment. A new layout is a new placement with a higher epoch.
 *
 * @param keyspace the tables and their key
 * @param strategy key to shard
 * @param epoch version of the placement, from 1
 */
public record Placement(Keyspace keyspace, ShardingStrategy strategy, long epoch) {

    public Placement {
        if (epoch < 1) {
            throw new IllegalArgumentException("epoch must be at least 1, was " + epoch);
        }
    }
}
