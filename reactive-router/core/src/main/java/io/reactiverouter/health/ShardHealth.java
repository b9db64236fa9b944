package io.reactiverouter.health;

import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.connection.PasswordUnavailableException;
import io.reactiverouter.connection.PoolStatistics;
import io.reactiverouter.observation.ClusterListener;
import io.reactiverouter.routing.ReadTarget;
import io.reactiverouter.routing.RoutingTable;
import io.reactiverouter.topology.Node;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.NodeRole;
import io.reactiverouter.topology.NodeState;
import io.reactiverouter.topology.ShardId;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the nodes of one shard have said, and what follows from it for the routing table. Answers of its nodes come one at a
 * time; nothing here is in the path of calls.
 *
 * <p>The primary is the node that says it is one on the highest timeline ever seen: each promotion begins a new timeline, so
 * that a former primary that comes back has a lower one. On the same timeline nobody has been promoted: the node that has the
 * writes keeps them, until it is ejected and one takes its place that has all that it had written, as after an address has
 * moved. A replica on a later timeline shows that a primary is a former one too. Nodes of another database cluster of
 * PostgreSQL than the one named as primary do not count, until all nodes that answer agree on a new one, as after an upgrade.
 */
final class ShardHealth {

    /** SQLSTATEs with which a server refuses to serve at all; with others it shows that it does. */
    private static final Set<String> NOT_SERVING = Set.of("57P01", "57P02", "57P03");

    private static final String FOREIGN =
            "it belongs to another database cluster than the other nodes of the shard: correct its URL";

    private final ShardId shard;
    private final RoutingTable table;
    private final HealthSettings settings;
    private final ClusterListener listener;
    private final Clock clock;
    private final Consumer<NodeId> demoted;
    private final NodeId named;
    private final Map<NodeId, NodeHealth> nodes = new LinkedHashMap<>();

    private long highestTimeline;
    private long primaryPosition;

    /** Which database cluster the nodes belong to; 0 until that is known. */
    private long system;

    /** Whether that was said by another node than the one named as primary. */
    private boolean systemIsGuess;

    /**
     * @param demoted told of a node that has lost the writes
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
        this.named = table.nodes(shard).get(0).id();
        for (Node node : table.nodes(shard)) {
            nodes.put(node.id(), new NodeHealth(node.id()));
        }
    }

    synchronized ShardStatus status(ToDoubleFunction<NodeId> errorRate, Function<NodeId, PoolStatistics> connections) {
        List<NodeStatus> statuses = nodes.values().stream()
                .map(node ->
                        node.status(errorRate.applyAsDouble(node.id()), isLost(node), connections.apply(node.id())))
                .toList();
        return new ShardStatus(shard, table.primary(shard), statuses);
    }

    synchronized String describe() {
        return nodes.values().stream().map(NodeHealth::describe).collect(Collectors.joining(", "));
    }

    synchronized void answered(NodeId id, ProbeAnswer answer, long nanoTime) {
        NodeHealth node = known(id);
        if (id.equals(table.primary(shard)) && answer.role() == NodeRole.PRIMARY) {
            primaryPosition = answer.position();
        }
        long behind = answer.role() == NodeRole.REPLICA ? Math.max(0, primaryPosition - answer.position()) : 0;
        // A primary that is silent may have written more.
        boolean upToDate = behind == 0 && primary().failures() == 0;
        node.answered(answer, behind, upToDate, nanoTime);
        table.eject(id, false);
        if (node.tripped()) {
            enter(node, NodeState.EJECTED, "half of its last calls have failed");
        } else if (node.lag().compareTo(settings.maxLag()) > 0) {
            enter(node, NodeState.LAGGING, behind + " bytes and " + node.lag() + " behind its primary");
        } else {
            enter(node, NodeState.HEALTHY, "it answers");
        }
        choosePrimary();
        publish();
    }

    /**
     * What calls have met with keeps reads from a node that can go elsewhere, until they try it again. It takes no writes from a
     * primary: probes know better, and there is no other.
     */
    synchronized void tripped(NodeId id, boolean open) {
        NodeHealth node = known(id);
        boolean changes = node.trip(open);
        if (changes && open) {
            enter(node, NodeState.EJECTED, "half of its last calls have failed");
        } else if (changes && node.answers()) {
            enter(node, NodeState.HEALTHY, "it is tried again");
        }
        publish();
    }

    /** Tells the table who can be read from. A replica that has not followed to the last timeline shows what was, at best. */
    private void publish() {
        NodeId primary = table.primary(shard);
        List<ReadTarget> readable = nodes.values().stream()
                .filter(node -> isReadable(node, primary))
                .map(node -> new ReadTarget(
                        node.id(),
                        node.id().equals(primary),
                        node.state(),
                        node.answers(),
                        node.position(),
                        node.lagBytes(),
                        node.lag(),
                        node.latency()))
                .toList();
        table.report(shard, readable);
    }

    private boolean isReadable(NodeHealth node, NodeId primary) {
        if (node.fenced() || !isOurs(node)) {
            return false;
        }
        return node.id().equals(primary)
                ? table.takesWrites(primary)
                : node.is(NodeRole.REPLICA) && node.timeline() >= highestTimeline;
    }

    synchronized void failed(NodeId id, Throwable error, long nanoTime) {
        NodeHealth node = known(id);
        // What a supplier of passwords says is the application's own.
        String message = error instanceof PasswordUnavailableException
                ? "its password could not be had"
                : String.valueOf(error.getMessage());
        // One that refuses serves others perhaps: its connections are all taken, or the login of this one is wrong.
        boolean silent = isSilence(error);
        node.failed(message, silent, nanoTime);
        if (silent && isLost(node)) {
            table.eject(id, true);
            enter(
                    node,
                    NodeState.EJECTED,
                    node.failures() + " probes in a row have failed, the last one with: " + error);
        }
        choosePrimary();
        publish();
    }

    /** Says whether a node is ejected for its silence, and not because of what calls have met with there. */
    private boolean isLost(NodeHealth node) {
        return node.failures() >= settings.failures();
    }

    private static boolean isSilence(Throwable error) {
        if (error instanceof PasswordUnavailableException) {
            return false;
        }
        String state = error instanceof R2dbcException refusal ? refusal.getSqlState() : null;
        return state == null || state.startsWith("08") || NOT_SERVING.contains(state);
    }

    /** Says whether the last probe of a node has failed. */
    synchronized boolean isSilent(NodeId node) {
        return known(node).failures() > 0;
    }

    /** Returns the highest timeline of a primary so far. */
    synchronized long timeline() {
        return highestTimeline;
    }

    /**
     * Returns the node with the writes if it has answered as a primary since that moment and all others have been heard of
     * since, or it has been promoted since: one that answers first may be a former primary. Else null.
     */
    synchronized @Nullable NodeId serving(long sinceNanoTime, long timelineThen) {
        NodeHealth primary = primary();
        boolean serves = table.takesWrites(primary.id())
                && primary.answers()
                && primary.is(NodeRole.PRIMARY)
                && primary.heardSince(sinceNanoTime);
        return serves
                        && (primary.timeline() > timelineThen
                                || nodes.values().stream().allMatch(node -> node.heardSince(sinceNanoTime)))
                ? primary.id()
                : null;
    }

    private NodeHealth primary() {
        return known(table.primary(shard));
    }

    private NodeHealth known(NodeId id) {
        NodeHealth node = nodes.get(id);
        if (node == null) {
            throw new IllegalArgumentException("shard " + shard + " has no node " + id.endpoint());
        }
        return node;
    }

    private void enter(NodeHealth node, NodeState state, String reason) {
        NodeState before = node.enter(state, clock.instant());
        if (before != state) {
            listener.stateChanged(node.id(), before, state, reason);
        }
    }

    private void choosePrimary() {
        findSystem();
        NodeHealth former = primary();
        if (former.unheard() || system == 0) {
            // It would be a matter of who answers first.
            return;
        }
        NodeHealth best = best(former);
        if (best != null && best != former && takesOver(best, former)) {
            // Whoever sees the new primary must not read from replicas that have not followed to its timeline.
            highestTimeline = best.timeline();
            publish();
            table.promote(best.id());
            best.trip(false);
            primaryPosition = best.position();
            nodes.values().forEach(NodeHealth::forgetCurrent);
            listener.primaryChanged(shard, former.id(), best.id(), "it is primary on timeline " + best.timeline());
            demoted.accept(former.id());
        }
        NodeHealth now = primary();
        if (best == now) {
            highestTimeline = best.timeline();
        }
        fence(best == now ? now : null);
    }

    /** The node that was named as primary says what the others must belong to; until it can be asked, the first other. */
    private void findSystem() {
        NodeHealth first = known(named);
        ProbeAnswer own = first.answers() ? first.answer() : null;
        if (own != null) {
            if (own.system() != system && (system == 0 || systemIsGuess || allAgreeOn(own.system()))) {
                system = own.system();
                highestTimeline = 0;
            }
            systemIsGuess = false;
        } else if (system == 0 && !first.unheard()) {
            system = nodes.values().stream()
                    .flatMap(node -> Stream.ofNullable(node.answer()))
                    .findFirst()
                    .map(ProbeAnswer::system)
                    .orElse(0L);
            systemIsGuess = true;
        }
    }

    /** One node of several may have been reached by a wrong name. */
    private boolean allAgreeOn(long found) {
        List<NodeHealth> answering =
                nodes.values().stream().filter(NodeHealth::answers).toList();
        return (nodes.size() == 1 || answering.size() > 1) && answering.stream().allMatch(node -> node.isOf(found));
    }

    private boolean isOurs(NodeHealth node) {
        return node.isOf(system);
    }

    /** Returns the primary on the highest timeline, null if there is none or only ones on lower timelines than before. */
    private @Nullable NodeHealth best(NodeHealth current) {
        NodeHealth best = null;
        long least = Math.max(highestTimeline, timelineOfReplicas());
        for (NodeHealth node : nodes.values()) {
            if (node.answers()
                    && node.is(NodeRole.PRIMARY)
                    && isOurs(node)
                    && node.timeline() >= least
                    && (best == null
                            || node.timeline() > best.timeline()
                            || (node.timeline() == best.timeline() && node == current))) {
                best = node;
            }
        }
        return best;
    }

    private long timelineOfReplicas() {
        return nodes.values().stream()
                .filter(node -> node.answers() && node.is(NodeRole.REPLICA) && isOurs(node))
                .mapToLong(NodeHealth::timeline)
                .max()
                .orElse(0);
    }

    private boolean takesOver(NodeHealth best, NodeHealth former) {
        if (former.answers() && !isOurs(former)) {
            return true;
        }
        long before = former.is(NodeRole.PRIMARY) ? former.timeline() : 0;
        if (best.timeline() > Math.max(highestTimeline, before)) {
            return true;
        }
        // Nobody has been promoted. One that was there as a second primary before is a copy with a history of its own.
        boolean gone = isLost(former) || (former.answers() && former.is(NodeRole.REPLICA));
        return gone && !best.fenced() && best.position() >= primaryPosition;
    }

    /** Fences off those that take writes and are not the primary, and those that belong elsewhere. */
    private void fence(@Nullable NodeHealth primary) {
        for (NodeHealth node : nodes.values()) {
            if (!node.answers()) {
                continue;
            }
            boolean foreign = !isOurs(node);
            if (!foreign && primary == null && undecided(node)) {
                continue;
            }
            boolean fenced = foreign || (node.is(NodeRole.PRIMARY) && node != primary);
            if (fenced != node.fenced()) {
                node.fence(fenced);
                table.fence(node.id(), fenced);
                if (fenced) {
                    listener.fenced(node.id(), foreign ? FOREIGN : takesWritesToo(node, primary));
                    demoted.accept(node.id());
                }
            }
        }
    }

    private String takesWritesToo(NodeHealth node, @Nullable NodeHealth primary) {
        return "it takes writes on timeline " + node.timeline() + ", and the primary of the shard is "
                + (primary == null
                        ? "one on timeline " + highestTimeline
                        : primary.id().endpoint());
    }

    /** As long as the node with the writes says nothing, another one on its timeline may yet have to take its place. */
    private boolean undecided(NodeHealth node) {
        return node.is(NodeRole.PRIMARY)
                && node.timeline() >= highestTimeline
                && !primary().answers();
    }
}
