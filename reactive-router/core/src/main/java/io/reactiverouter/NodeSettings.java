package io.reactiverouter;

import io.reactiverouter.topology.Node;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/** Settings of one kind: those of a node come before those of its shard, and these before those of the cluster. */
final class NodeSettings<S> implements Function<NodeId, S> {

    private final String kind;
    private final Map<ShardId, S> ofShards = new LinkedHashMap<>();
    private final Map<NodeId, S> ofNodes = new LinkedHashMap<>();
    private S ofCluster;

    /**
     * Starts with the same for all nodes.
     *
     * @param kind what they are, for errors
     */
    NodeSettings(String kind, S ofCluster) {
        this.kind = kind;
        this.ofCluster = ofCluster;
    }

    void set(S settings) {
        ofCluster = Objects.requireNonNull(settings, kind);
    }

    void set(ShardId shard, S settings) {
        ofShards.put(shard, Objects.requireNonNull(settings, kind));
    }

    void set(NodeId node, S settings) {
        ofNodes.put(node, Objects.requireNonNull(settings, kind));
    }

    @Override
    public S apply(NodeId node) {
        S own = ofNodes.get(node);
        return own != null ? own : ofShards.getOrDefault(node.shard(), ofCluster);
    }

    /**
     * Does nothing if all shards and nodes that have settings are there.
     *
     * @throws IllegalArgumentException otherwise
     */
    void requireKnown(List<Shard> shards) {
        List<ShardId> ids = shards.stream().map(Shard::id).toList();
        requireKnown("shard", ofShards, ids);
        List<NodeId> nodes = shards.stream()
                .flatMap(shard -> shard.nodes().stream())
                .map(Node::id)
                .toList();
        requireKnown("node", ofNodes, nodes);
    }

    private <K> void requireKnown(String what, Map<K, S> settings, List<K> known) {
        for (K name : settings.keySet()) {
            if (!known.contains(name)) {
                throw new IllegalArgumentException(kind + " are set for " + what + " " + name
                        + ", which the cluster does not have; it has " + known);
            }
        }
    }
}
