package io.reactiverouter;

import io.reactiverouter.topology.ShardId;
import java.util.List;
import java.util.Map;

/**
 * How the rows of a keyspace are spread over the shards, from the planner's statistics. Immutable.
 *
 * @param keyspace the keyspace
 * @param epoch of its placement at that moment
 * @param shards what each shard holds, in the order of the cluster; those that could not be asked are missing
 * @param imbalance how far the fullest shard is above its share, or the emptiest below it, whichever is more, as a part of the
 *     share: 0.2 is 20 %. The share of a shard is according to its weight; one that could not be asked has none. 0 without rows
 */
public record KeyspaceStatistics(String keyspace, long epoch, List<ShardRows> shards, double imbalance) {

    public KeyspaceStatistics {
        shards = List.copyOf(shards);
    }

    /** Returns the number of rows on all shards that could be asked. */
    public long rows() {
        return shards.stream().mapToLong(ShardRows::rows).sum();
    }

    static double imbalance(List<ShardRows> shards, Map<ShardId, Integer> weights) {
        double rows = shards.stream().mapToLong(ShardRows::rows).sum();
        double total = shards.stream()
                .mapToInt(shard -> weights.getOrDefault(shard.shard(), 0))
                .sum();
        double most = 0;
        for (ShardRows shard : shards) {
            double share = rows * weights.getOrDefault(shard.shard(), 0) / total;
            if (share > 0) {
                most = Math.max(most, Math.abs(shard.rows() - share) / share);
            }
        }
        return most;
    }
}
