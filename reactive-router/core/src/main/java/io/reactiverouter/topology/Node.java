package io.reactiverouter.topology;

/**
 * A node and its address.
 *
 * @param id the node's identity in the cluster
 * @param address where it listens
 */
public record Node(NodeId id, NodeAddress address) {

    static Node of(ShardId shard, NodeAddress address) {
        return new Node(new NodeId(shard, address.endpoint()), address);
    }
}
