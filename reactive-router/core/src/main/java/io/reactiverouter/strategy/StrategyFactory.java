package io.reactiverouter.strategy;

import io.reactiverouter.topology.Shard;
import java.util.List;

/**
 * Makes a strategy for the shards of a cluster, once the cluster knows them. A {@link Keyspace} takes either this or a
 * complete {@link ShardingStrategy}.
 */
@FunctionalInterface
public interface StrategyFactory {

    /**
     * Returns the strategy over these shards.
     *
     * @throws IllegalArgumentException if they do not suit the strategy
     */
    ShardingStrategy create(List<Shard> shards);
}
