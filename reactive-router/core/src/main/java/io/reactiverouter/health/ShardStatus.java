package io.reactiverouter.health;

import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.NodeRole;
import io.reactiverouter.topology.NodeState;
import io.reactiverouter.topology.ShardId;
import java.util.List;

/**
 * What is known of a shard. Immutable.
 *
 * @param shard the shard
 * @param primary the node that takes its writes
 * @param nodes all nodes, in the order in which they were named
 */
public record ShardStatus(ShardId shard, NodeId primary, List<NodeStatus> nodes) {

    public ShardStatus {
        nodes = List.copyOf(nodes);
    }

    /** Returns how many nodes are healthy, as far as is known. */
    public long healthy() {
        return nodes.stream()
                .filter(node -> node.state() == NodeState.HEALTHY && !node.neverAnswered())
                .count();
    }

    /** Says whether any node has been asked yet, with or without an answer. */
    public boolean known() {
        return nodes.stream().anyMatch(node -> node.role() != NodeRole.UNKNOWN || node.lastError() != null);
    }

    /** Returns how many nodes there are. */
    public int total() {
        return nodes.size();
    }

    /**
     * Says whether the node that takes the writes is of use, as far as is known. One that is ejected because of what calls have
     * met with there gets writes still, as long as it answers probes.
     */
    public boolean writable() {
        return nodes.stream()
                .anyMatch(node -> node.node().equals(primary)
                        && node.role() != NodeRole.REPLICA
                        && !node.lost()
                        && !node.neverAnswered()
                        && !node.fenced());
    }
}
