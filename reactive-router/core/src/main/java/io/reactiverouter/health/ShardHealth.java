package io.reactiverouter.health;

import io.reactiverouter.observation.ClusterListener;
import io.reactiverouter.routing.RoutingTable;
import io.reactiverouter.topology.Node;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.NodeRole;
import io.reactiverouter.topology.NodeState;
import io.reactiverouter.topology.ShardId;
import java.time.Clock;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What the nodes of one shard have said, and what follows from it for the routing table. Answers of its nodes come one at a
 * time; nothing here is in the path of calls.
 *
 * <p>The primary is the node that says it is one on the highest timeline ever seen: each promotion begins a new timeline, so
 * that a former primary that comes back has a lower one. Of two on one timeline the one that has the writes keeps them.
 */
final class ShardHealth {

    private final ShardId shard;
    private final RoutingTable table;
    private final HealthSettings settings;
    private final ClusterListener listener;
    private final Clock clock;
    private final Consumer<NodeId> demoted;
    private final Map<NodeId, NodeStatus> statuses = new LinkedHashMap<>();
    private final Map<NodeId, Long> answeredAt = new HashMap<>();
    private long highestTimeline;
    private long primaryPosition;

    /**
     * @param demoted told of a node that has lost the writes to another
     */
    ShardHealth(
            ShardId shard,
            RoutingTable table,
            HealthSettings settings,
            ClusterListener listener,
            Clock clock,
            Consumer<NodeId> demoted) {
        this.shard = shard;
        this.table = table;
        this.settings = settings;
        this.listener = listener;
        this.clock = clock;
        this.demoted = demoted;
        for (Node node : table.nodes(shard)) {
            statuses.put(node.id(), NodeStatus.unknown(node.id()));
        }
    }

    synchronized ShardStatus status() {
        return new ShardStatus(shard, table.primary(shard), List.copyOf(statuses.values()));
    }

    synchronized void answered(NodeId node, ProbeAnswer answer, long nanoTime) {
        answeredAt.put(node, nanoTime);
        if (node.equals(table.primary(shard)) && answer.role() == NodeRole.PRIMARY) {
            primaryPosition = answer.position();
        }
        long behind = answer.role() == NodeRole.REPLICA ? Math.max(0, primaryPosition - answer.position()) : 0;
        NodeStatus status = known(node).answered(answer, behind);
        statuses.put(node, status);
        if (status.lag().compareTo(settings.maxLag()) > 0) {
            enter(node, NodeState.LAGGING, behind + " bytes and " + status.lag() + " behind its primary");
        } else {
            enter(node, NodeState.HEALTHY, "it answers");
        }
        choosePrimary();
    }

    synchronized void failed(NodeId node, Throwable error) {
        NodeStatus before = known(node);
        int failures = before.failures() + 1;
        statuses.put(node, before.failed(failures, String.valueOf(error.getMessage())));
        if (failures >= settings.failures()) {
            enter(node, NodeState.EJECTED, failures + " probes in a row have failed, the last one with: " + error);
            // Another one on the same timeline may have the writes then.
            choosePrimary();
        }
    }

    /** Returns the node with the writes if it has answered as a primary since that moment, else null. */
    synchronized @Nullable NodeId serving(long sinceNanoTime) {
        NodeId primary = table.primary(shard);
        NodeStatus status = known(primary);
        Long at = answeredAt.get(primary);
        return status.answers()
                        && status.role() == NodeRole.PRIMARY
                        && !status.fenced()
                        && at != null
                        && at - sinceNanoTime >= 0
                ? primary
                : null;
    }

    private NodeStatus known(NodeId node) {
        NodeStatus status = statuses.get(node);
        if (status == null) {
            throw new IllegalArgumentException("shard " + shard + " has no node " + node.endpoint());
        }
        return status;
    }

    private void enter(NodeId node, NodeState state, String reason) {
        NodeStatus status = known(node);
        if (status.since() == null) {
            status = status.in(status.state(), clock.instant());
            statuses.put(node, status);
        }
        NodeState before = status.state();
        if (before != state) {
            statuses.put(node, status.in(state, clock.instant()));
            table.eject(node, state == NodeState.EJECTED);
            listener.stateChanged(node, before, state, reason);
        }
    }

    private void choosePrimary() {
        NodeId current = table.primary(shard);
        NodeStatus best = null;
        for (NodeStatus status : statuses.values()) {
            if (status.answers()
                    && status.role() == NodeRole.PRIMARY
                    && (best == null
                            || status.timeline() > best.timeline()
                            || (status.timeline() == best.timeline()
                                    && status.node().equals(current)))) {
                best = status;
            }
        }
        if (best == null || best.timeline() < highestTimeline) {
            fenceAllBut(null);
            return;
        }
        NodeStatus former = known(current);
        boolean takesOver = !best.node().equals(current)
                && (best.timeline() > highestTimeline
                        || former.state() == NodeState.EJECTED
                        || former.role() == NodeRole.REPLICA
                        || former.timeline() < best.timeline());
        if (takesOver) {
            table.promote(best.node());
            primaryPosition = 0;
            listener.primaryChanged(shard, current, best.node(), "it is primary on timeline " + best.timeline());
            demoted.accept(current);
        }
        NodeId now = table.primary(shard);
        if (now.equals(best.node())) {
            highestTimeline = best.timeline();
        }
        fenceAllBut(now);
    }

    private void fenceAllBut(@Nullable NodeId primary) {
        for (NodeStatus status : List.copyOf(statuses.values())) {
            boolean fenced = status.role() == NodeRole.PRIMARY
                    && status.answers()
                    && !status.node().equals(primary);
            if (status.answers() && fenced != status.fenced()) {
                statuses.put(status.node(), status.withFenced(fenced));
                if (fenced) {
                    listener.fenced(
                            status.node(),
                            "it takes writes on timeline " + status.timeline() + ", and the primary of the shard is "
                                    + (primary == null ? "one on timeline " + highestTimeline : primary.endpoint()));
                }
            }
        }
    }
}
