package io.reactiverouter.topology;

import java.io.Serializable;

/**
 * One PostgreSQL server of a shard. Prints as {@code shard@host:port}.
 *
 * @param shard the shard whose rows it holds
 * @param endpoint {@code host:port}, unique in the shard; stays the same when the node's role changes
 */
public record NodeId(ShardId shard, String endpoint) implements Serializable {

    @Override
    public String toString() {
        return shard + "@" + endpoint;
    }
}
