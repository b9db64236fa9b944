package io.reactiverouter.health;

import io.reactiverouter.topology.ShardId;
import java.util.List;

/**
 * What is known of a cluster. Immutable.
 *
 * @param shards the shards in the order in which they were named
 */
public record ClusterStatus(List<ShardStatus> shards) {

    public ClusterStatus {
        shards = List.copyOf(shards);
    }

    /**
     * Returns what is known of one shard.
     *
     * @throws IllegalArgumentException if the cluster has no such shard
     */
    public ShardStatus shard(ShardId shard) {
        return shards.stream()
                .filter(status -> status.shard().equals(shard))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("the cluster has no shard " + shard));
    }

    /** Returns how many nodes are healthy. */
    public long healthy() {
        return shards.stream().mapToLong(ShardStatus::healthy).sum();
    }

    /** Returns how many nodes there are. */
    public int total() {
        return shards.stream().mapToInt(ShardStatus::total).sum();
    }

    /** Returns how many shards can take writes. */
    public long writable() {
        return shards.stream().filter(ShardStatus::writable).count();
    }
}
