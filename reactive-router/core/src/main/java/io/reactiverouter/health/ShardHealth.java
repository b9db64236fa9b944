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
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
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

    private final ShardId shard;
    private final RoutingTable table;
    private final HealthSettings settings;
    private final ClusterListener listener;
    private final Clock clock;
    private final Consumer<NodeId> demoted;
    private final NodeId named;
    private final Map<NodeId, NodeStatus> statuses = new LinkedHashMap<>();
    private final Map<NodeId, ProbeAnswer> answers = new HashMap<>();
    private final Map<NodeId, Long> heardAt = new HashMap<>();
    private final Map<NodeId, Long> currentAt = new HashMap<>();

    /** Those that are ejected because of what calls have met with there. */
    private final Set<NodeId> tripped = new HashSet<>();

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
            statuses.put(node.id(), NodeStatus.unknown(node.id()));
        }
    }

    synchronized ShardStatus status(ToDoubleFunction<NodeId> errorRate, Function<NodeId, PoolStatistics> connections) {
        List<NodeStatus> nodes = statuses.values().stream()
                .map(status -> status.with(
                        errorRate.applyAsDouble(status.node()),
                        tripped.contains(status.node()),
                        isLost(status),
                        connections.apply(status.node())))
                .toList();
        return new ShardStatus(shard, table.primary(shard), nodes);
    }

    synchronized String describe() {
        return statuses.values().stream().map(NodeStatus::describe).collect(Collectors.joining(", "));
    }

    synchronized void answered(NodeId node, ProbeAnswer answer, long nanoTime) {
        heardAt.put(node, nanoTime);
        answers.put(node, answer);
        if (node.equals(table.primary(shard)) && answer.role() == NodeRole.PRIMARY) {
            primaryPosition = answer.position();
        }
        long behind = answer.role() == NodeRole.REPLICA ? Math.max(0, primaryPosition - answer.position()) : 0;
        NodeStatus status = known(node).answered(answer, behind, age(node, answer, behind, nanoTime));
        statuses.put(node, status);
        table.eject(node, false);
        if (tripped.contains(node)) {
            enter(node, NodeState.EJECTED, "half of its last calls have failed");
        } else if (status.lag().compareTo(settings.maxLag()) > 0) {
            enter(node, NodeState.LAGGING, behind + " bytes and " + status.lag() + " behind its primary");
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
    synchronized void tripped(NodeId node, boolean open) {
        if (open && tripped.add(node)) {
            enter(node, NodeState.EJECTED, "half of its last calls have failed");
        } else if (!open && tripped.remove(node) && known(node).answers()) {
            enter(node, NodeState.HEALTHY, "it is tried again");
        }
        publish();
    }

    /** Tells the table who can be read from. A replica that has not followed to the last timeline shows what was, at best. */
    private void publish() {
        NodeId primary = table.primary(shard);
        List<ReadTarget> readable = statuses.values().stream()
                .filter(status -> isReadable(status, primary))
                .map(status -> new ReadTarget(
                        status.node(),
                        status.node().equals(primary),
                        status.state(),
                        status.answers(),
                        position(status.node()),
                        status.lagBytes(),
                        status.lag(),
                        status.latency()))
                .toList();
        table.report(shard, readable);
    }

    private boolean isReadable(NodeStatus status, NodeId primary) {
        if (status.fenced() || !isOurs(status.node())) {
            return false;
        }
        return status.node().equals(primary)
                ? table.takesWrites(primary)
                : status.role() == NodeRole.REPLICA && status.timeline() >= highestTimeline;
    }

    /** After a quiet hour its last transaction is an hour old: it cannot be further behind than since it was not behind. */
    private Duration age(NodeId node, ProbeAnswer answer, long behind, long nanoTime) {
        // A primary that is silent may have written more.
        if (behind == 0 && known(table.primary(shard)).failures() == 0) {
            currentAt.put(node, nanoTime);
            return Duration.ZERO;
        }
        Duration replayAge = answer.replayAge();
        // One that has not applied anything yet has been behind since it was first heard of, at least.
        Long current = replayAge == null ? currentAt.computeIfAbsent(node, first -> nanoTime) : currentAt.get(node);
        if (current == null) {
            return Objects.requireNonNull(replayAge);
        }
        Duration since = Duration.ofNanos(nanoTime - current);
        return replayAge == null || since.compareTo(replayAge) < 0 ? since : replayAge;
    }

    synchronized void failed(NodeId node, Throwable error, long nanoTime) {
        heardAt.put(node, nanoTime);
        NodeStatus before = known(node);
        // What a supplier of passwords says is the application's own.
        String message = error instanceof PasswordUnavailableException
                ? "its password could not be had"
                : String.valueOf(error.getMessage());
        if (!isSilence(error)) {
            // It serves others perhaps: its connections are all taken, or the login of this one is wrong.
            statuses.put(node, before.failed(before.failures(), message));
            choosePrimary();
            publish();
            return;
        }
        int failures = before.failures() + 1;
        statuses.put(node, before.failed(failures, message));
        if (isLost(known(node))) {
            table.eject(node, true);
            enter(node, NodeState.EJECTED, failures + " probes in a row have failed, the last one with: " + error);
        }
        choosePrimary();
        publish();
    }

    /** Says whether a node is ejected for its silence, and not because of what calls have met with there. */
    private boolean isLost(NodeStatus status) {
        return status.failures() >= settings.failures();
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
        NodeId primary = table.primary(shard);
        NodeStatus status = known(primary);
        boolean serves = table.takesWrites(primary)
                && status.answers()
                && status.role() == NodeRole.PRIMARY
                && heardSince(primary, sinceNanoTime);
        return serves
                        && (status.timeline() > timelineThen
                                || statuses.keySet().stream().allMatch(node -> heardSince(node, sinceNanoTime)))
                ? primary
                : null;
    }

    private boolean heardSince(NodeId node, long nanoTime) {
        Long at = heardAt.get(node);
        return at != null && at - nanoTime >= 0;
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
            listener.stateChanged(node, before, state, reason);
        }
    }

    private void choosePrimary() {
        findSystem();
        NodeId current = table.primary(shard);
        NodeStatus former = known(current);
        if (former.unheard() || system == 0) {
            // It would be a matter of who answers first.
            return;
        }
        NodeStatus best = best(current);
        if (best != null && !best.node().equals(current) && takesOver(best, former)) {
            // Whoever sees the new primary must not read from replicas that have not followed to its timeline.
            highestTimeline = best.timeline();
            publish();
            table.promote(best.node());
            tripped.remove(best.node());
            primaryPosition = position(best.node());
            currentAt.clear();
            listener.primaryChanged(shard, current, best.node(), "it is primary on timeline " + best.timeline());
            demoted.accept(current);
        }
        NodeId now = table.primary(shard);
        if (best != null && best.node().equals(now)) {
            highestTimeline = best.timeline();
        }
        fence(best != null && best.node().equals(now) ? now : null);
    }

    /** The node that was named as primary says what the others must belong to; until it can be asked, the first other. */
    private void findSystem() {
        NodeStatus status = known(named);
        ProbeAnswer own = status.answers() ? answers.get(named) : null;
        if (own != null) {
            if (own.system() != system && (system == 0 || systemIsGuess || allAgreeOn(own.system()))) {
                system = own.system();
                highestTimeline = 0;
            }
            systemIsGuess = false;
        } else if (system == 0 && !status.unheard()) {
            system = answers.values().stream()
                    .findFirst()
                    .map(ProbeAnswer::system)
                    .orElse(0L);
            systemIsGuess = true;
        }
    }

    /** One node of several may have been reached by a wrong name. */
    private boolean allAgreeOn(long found) {
        List<NodeStatus> answering =
                statuses.values().stream().filter(NodeStatus::answers).toList();
        return (statuses.size() == 1 || answering.size() > 1)
                && answering.stream().allMatch(status -> isOf(status.node(), found));
    }

    private boolean isOurs(NodeId node) {
        return isOf(node, system);
    }

    private boolean isOf(NodeId node, long wanted) {
        ProbeAnswer answer = answers.get(node);
        return answer != null && answer.system() == wanted;
    }

    private long position(NodeId node) {
        ProbeAnswer answer = answers.get(node);
        return answer == null ? 0 : answer.position();
    }

    /** Returns the primary on the highest timeline, null if there is none or only ones on lower timelines than before. */
    private @Nullable NodeStatus best(NodeId current) {
        NodeStatus best = null;
        long least = Math.max(highestTimeline, timelineOfReplicas());
        for (NodeStatus status : statuses.values()) {
            if (status.answers()
                    && status.role() == NodeRole.PRIMARY
                    && isOurs(status.node())
                    && status.timeline() >= least
                    && (best == null
                            || status.timeline() > best.timeline()
                            || (status.timeline() == best.timeline()
                                    && status.node().equals(current)))) {
                best = status;
            }
        }
        return best;
    }

    private long timelineOfReplicas() {
        return statuses.values().stream()
                .filter(status -> status.answers() && status.role() == NodeRole.REPLICA && isOurs(status.node()))
                .mapToLong(NodeStatus::timeline)
                .max()
                .orElse(0);
    }

    private boolean takesOver(NodeStatus best, NodeStatus former) {
        if (former.answers() && !isOurs(former.node())) {
            return true;
        }
        long before = former.role() == NodeRole.PRIMARY ? former.timeline() : 0;
        if (best.timeline() > Math.max(highestTimeline, before)) {
            return true;
        }
        // Nobody has been promoted. One that was there as a second primary before is a copy with a history of its own.
        boolean gone = isLost(former) || (former.answers() && former.role() == NodeRole.REPLICA);
        return gone && !best.fenced() && position(best.node()) >= primaryPosition;
    }

    /** Fences off those that take writes and are not the primary, and those that belong elsewhere. */
    private void fence(@Nullable NodeId primary) {
        for (NodeStatus status : List.copyOf(statuses.values())) {
            NodeId node = status.node();
            if (!status.answers()) {
                continue;
            }
            boolean foreign = !isOurs(node);
            if (!foreign && primary == null && undecided(status)) {
                continue;
            }
            boolean fenced = foreign || (status.role() == NodeRole.PRIMARY && !node.equals(primary));
            if (fenced != status.fenced()) {
                statuses.put(node, status.withFenced(fenced));
                table.fence(node, fenced);
                if (fenced) {
                    listener.fenced(
                            node,
                            foreign
                                    ? "it belongs to another database cluster than the other nodes of the shard: correct"
                                            + " its URL"
                                    : "it takes writes on timeline " + status.timeline()
                                            + ", and the primary of the shard is "
                                            + (primary == null
                                                    ? "one on timeline " + highestTimeline
                                                    : primary.endpoint()));
                    demoted.accept(node);
                }
            }
        }
    }

    /** As long as the node with the writes says nothing, another one on its timeline may yet have to take its place. */
    private boolean undecided(NodeStatus status) {
        NodeStatus current = known(table.primary(shard));
        return status.role() == NodeRole.PRIMARY && status.timeline() >= highestTimeline && !current.answers();
    }
}
