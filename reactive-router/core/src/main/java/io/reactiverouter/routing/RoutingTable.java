package io.reactiverouter.routing;

import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.strategy.UnroutableKeyException;
import io.reactiverouter.topology.Node;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The live answer to "which shard" and "which node". Readers see one immutable snapshot; a change swaps it atomically, so
 * that no call sees half of it. Reading takes no lock.
 */
public final class RoutingTable {

    private final List<Shard> shards;
    private final Map<ShardId, List<ReadTarget>> readTargets = new ConcurrentHashMap<>();
    private volatile Snapshot snapshot;

    private record Snapshot(
            Map<ShardId, NodeId> primaries,
            Set<NodeId> ejected,
            Set<NodeId> fenced,
            Map<String, Placement> placements) {

        Snapshot withPlacements(Map<String, Placement> changed) {
            return new Snapshot(primaries, ejected, fenced, Map.copyOf(changed));
        }
    }

    /**
     * Starts with the primaries that the shards name and no placement.
     *
     * @throws IllegalArgumentException if there is no shard or a name comes twice
     */
    public RoutingTable(List<Shard> shards) {
        this.shards = Shard.requireDistinct(shards);
        Map<ShardId, NodeId> primaries = new LinkedHashMap<>();
        shards.forEach(shard -> primaries.put(shard.id(), shard.primary().id()));
        this.snapshot = new Snapshot(Map.copyOf(primaries), Set.of(), Set.of(), Map.of());
    }

    /**
     * Places a keyspace on the cluster with epoch 1, or returns the placement that it has already.
     *
     * @throws IllegalArgumentException if the strategy names a shard that the cluster does not have, or another keyspace
     *     has this name
     */
    public synchronized Placement place(Keyspace keyspace) {
        Snapshot current = snapshot;
        Placement known = current.placements().get(keyspace.name());
        if (known == null) {
            ShardingStrategy strategy = keyspace.strategy().create(shards);
            requireKnown(keyspace, strategy);
            Map<String, Placement> placements = new HashMap<>(current.placements());
            known = new Placement(keyspace, strategy, 1);
            placements.put(keyspace.name(), known);
            snapshot = current.withPlacements(placements);
        }
        if (known.keyspace() != keyspace) {
            throw new IllegalArgumentException("keyspace " + keyspace.name()
                    + " is placed already; use the router that was made for it, or another name");
        }
        return known;
    }

    /**
     * Replaces the placement of a keyspace by another strategy with the next epoch. Moves no rows.
     *
     * @param expected the placement that {@code next} was derived from
     * @throws StalePlacementException if the keyspace has another placement by now
     * @throws IllegalArgumentException if the strategy names a shard that the cluster does not have
     */
    public synchronized Placement replace(Placement expected, ShardingStrategy next) {
        String name = expected.keyspace().name();
        Placement current = placement(name);
        if (current.epoch() != expected.epoch() || !current.strategy().equals(expected.strategy())) {
            throw new StalePlacementException(name, expected.epoch(), current.epoch());
        }
        requireKnown(current.keyspace(), next);
        Placement replaced = new Placement(current.keyspace(), next, current.epoch() + 1);
        Map<String, Placement> placements = new HashMap<>(snapshot.placements());
        placements.put(name, replaced);
        snapshot = snapshot.withPlacements(placements);
        return replaced;
    }

    /**
     * Returns the current placement of a keyspace.
     *
     * @throws IllegalArgumentException if no keyspace of this name has been placed
     */
    public Placement placement(String keyspace) {
        Placement placement = snapshot.placements().get(keyspace);
        if (placement == null) {
            throw new IllegalArgumentException("keyspace " + keyspace + " is not known; known are "
                    + snapshot.placements().keySet());
        }
        return placement;
    }

    /** Returns the route of one key. */
    public Route.Single route(String keyspace, ShardKey key) {
        return new Route.Single(placement(keyspace).strategy().locate(key));
    }

    /** Returns the route of some keys, grouped by shard; a key that comes twice is grouped twice. */
    public Route.Several route(String keyspace, Collection<? extends ShardKey> keys) {
        ShardingStrategy strategy = placement(keyspace).strategy();
        Map<ShardId, List<ShardKey>> grouped = new LinkedHashMap<>();
        for (ShardKey key : keys) {
            ShardId shard = strategy.locate(UnroutableKeyException.requireNonNull(key));
            grouped.computeIfAbsent(shard, added -> new ArrayList<>()).add(key);
        }
        return new Route.Several(grouped);
    }

    /** Returns the shards that can hold keys from {@code from} to {@code to}, both included. */
    public List<ShardId> between(String keyspace, ShardKey from, ShardKey to) {
        return placement(keyspace).strategy().between(from, to);
    }

    /** Returns the route to every shard of a keyspace. */
    public Route.All routeAll(String keyspace) {
        return new Route.All(placement(keyspace).strategy().shards());
    }

    /**
     * Returns the node that takes the writes of a shard.
     *
     * @throws IllegalArgumentException if the cluster has no such shard; the message names those that it has
     */
    public NodeId primary(ShardId shard) {
        NodeId node = snapshot.primaries().get(shard);
        if (node == null) {
            throw unknown(shard);
        }
        return node;
    }

    private IllegalArgumentException unknown(ShardId shard) {
        return new IllegalArgumentException("shard " + shard + " is not part of the cluster; known are " + names());
    }

    /**
     * Sends the writes of a shard to another of its nodes from now on.
     *
     * @throws IllegalArgumentException if the shard has no such node
     */
    public synchronized void promote(NodeId node) {
        ShardId shard = node.shard();
        if (nodes(shard).stream().noneMatch(known -> known.id().equals(node))) {
            throw new IllegalArgumentException("shard " + shard + " has no node " + node.endpoint());
        }
        Snapshot current = snapshot;
        Map<ShardId, NodeId> primaries = new HashMap<>(current.primaries());
        primaries.put(shard, node);
        snapshot = new Snapshot(Map.copyOf(primaries), current.ejected(), current.fenced(), current.placements());
    }

    /** Says whether a node is silent, and to be passed over where another can serve. */
    public synchronized void eject(NodeId node, boolean eject) {
        if (isEjected(node) == eject) {
            return;
        }
        Snapshot current = snapshot;
        snapshot = new Snapshot(
                current.primaries(), changed(current.ejected(), node, eject), current.fenced(), current.placements());
    }

    /** Says whether a node must get no writes, even where it has those of its shard. */
    public synchronized void fence(NodeId node, boolean fence) {
        Snapshot current = snapshot;
        snapshot = new Snapshot(
                current.primaries(), current.ejected(), changed(current.fenced(), node, fence), current.placements());
    }

    private static Set<NodeId> changed(Set<NodeId> nodes, NodeId node, boolean in) {
        Set<NodeId> changed = new HashSet<>(nodes);
        if (in) {
            changed.add(node);
        } else {
            changed.remove(node);
        }
        return Set.copyOf(changed);
    }

    /** Says whether a node is the one that takes the writes of its shard now. */
    public boolean takesWrites(NodeId node) {
        Snapshot now = snapshot;
        return node.equals(now.primaries().get(node.shard()))
                && (now.fenced().isEmpty() || !now.fenced().contains(node));
    }

    /**
     * Sets the nodes of a shard that reads can go to.
     *
     * @throws IllegalArgumentException if the cluster has no such shard
     */
    public void report(ShardId shard, List<ReadTarget> targets) {
        primary(shard);
        readTargets.put(shard, List.copyOf(targets));
    }

    /** Returns the nodes of a shard that reads can go to, ejected ones too; none before they have been probed. */
    public List<ReadTarget> readTargets(ShardId shard) {
        return readTargets.getOrDefault(shard, List.of());
    }

    /** Says whether reads may still go to a node. */
    public boolean isReadable(NodeId node) {
        return takesWrites(node)
                || readTargets(node.shard()).stream()
                        .anyMatch(target -> target.node().equals(node));
    }

    /** Says whether a node has been ejected because it is silent. */
    public boolean isEjected(NodeId node) {
        Set<NodeId> ejected = snapshot.ejected();
        return !ejected.isEmpty() && ejected.contains(node);
    }

    /**
     * Returns the nodes of a shard as they were named, whatever their roles are now.
     *
     * @throws IllegalArgumentException if the cluster has no such shard
     */
    public List<Node> nodes(ShardId shard) {
        return shards.stream()
                .filter(known -> known.id().equals(shard))
                .findFirst()
                .orElseThrow(() -> unknown(shard))
                .nodes();
    }

    /** Returns the shards in the order in which the cluster names them. */
    public List<Shard> shards() {
        return shards;
    }

    private void requireKnown(Keyspace keyspace, ShardingStrategy strategy) {
        for (ShardId shard : strategy.shards()) {
            if (!snapshot.primaries().containsKey(shard)) {
                throw new IllegalArgumentException(
                        "the strategy of keyspace " + keyspace.name() + " places keys on shard " + shard
                                + ", which is not part of the cluster; known are " + names());
            }
        }
    }

    private List<ShardId> names() {
        return shards.stream().map(Shard::id).toList();
    }
}
