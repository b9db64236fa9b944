package io.reactiverouter.health;

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

    /** Returns how many shards can take writes. */
    public long writable() {
        return shards.stream().filter(ShardStatus::writable).count();
    }
}
