package io.reactiverouter.topology;

import org.jspecify.annotations.Nullable;

/**
 * A node and its address.
 *
 * @param id the node's identity in the cluster
 * @param address where it listens
 * @param region where it is, null if it is where its shard is
 */
public record Node(NodeId id, NodeAddress address, @Nullable String region) {

    static Node of(ShardId shard, NodeAddress address, @Nullable String region) {
        return new Node(new NodeId(shard, address.endpoint()), address, region);
    }
}
