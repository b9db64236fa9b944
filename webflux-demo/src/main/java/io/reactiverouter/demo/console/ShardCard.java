package io.reactiverouter.demo.console;

import com.fasterxml.jackson.annotation.JsonValue;
import io.reactiverouter.health.NodeStatus;
import io.reactiverouter.health.ShardStatus;
import io.reactiverouter.topology.NodeRole;
import io.reactiverouter.topology.NodeState;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A shard as its card shows it.
 *
 * @param health how it is, in a word
 * @param reason why, in a sentence
 * @param qps attempts that ended each second, over the last five
 * @param p50Millis median of single-shard attempts of the last half minute, null without any
 * @param p99Millis their 99th percentile
 * @param rows of all tables of the keyspace, as the planner estimates; null before it has said anything
 */
record ShardCard(
        String shard,
        Health health,
        String reason,
        double qps,
        @Nullable Double p50Millis,
        @Nullable Double p99Millis,
        @Nullable Long rows,
        List<NodeCard> nodes) {

    /** How a shard or a node is. */
    enum Health {
        UP,
        /** The writes go on, but something is wrong. */
        DEGRADED,
        /** It takes no writes, or did not answer when it was last asked. */
        DOWN,
        /** Nobody has been asked yet. */
        UNKNOWN;

        @JsonValue
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** How a shard is, and why. */
    record Judgement(Health health, String reason) {

        static Judgement of(ShardStatus shard) {
            if (!shard.known()) {
                return new Judgement(Health.UNKNOWN, "no node has been asked yet");
            }
            for (NodeStatus node : shard.nodes()) {
                if (node.node().equals(shard.primary()) && (node.failures() > 0 || NodeCard.refuses(node))) {
                    return new Judgement(Health.DOWN, "the primary " + NodeCard.reason(node));
                }
            }
            if (!shard.writable()) {
                return new Judgement(Health.DOWN, "no node takes writes");
            }
            return shard.nodes().stream()
                    .filter(node -> NodeCard.health(node) != Health.UP)
                    .map(node -> new Judgement(Health.DEGRADED, node.node().endpoint() + " " + NodeCard.reason(node)))
                    .findFirst()
                    .orElse(new Judgement(Health.UP, "all nodes answer, and writes go on"));
        }
    }

    /**
     * A node.
     *
     * @param writes whether the shard's writes go there
     * @param lastError what its last probe said, null unless that failed
     * @param errorRate which part of its last calls failed with it, 0 to 1
     */
    record NodeCard(
            String endpoint,
            String role,
            boolean writes,
            Health health,
            String reason,
            long lagMillis,
            long lagBytes,
            double latencyMillis,
            @Nullable String lastError,
            double errorRate,
            Pool pool) {

        static NodeCard of(ShardStatus shard, NodeStatus node) {
            return new NodeCard(
                    node.node().endpoint(),
                    node.role().name().toLowerCase(Locale.ROOT),
                    node.node().equals(shard.primary()),
                    health(node),
                    reason(node),
                    node.lag().toMillis(),
                    node.lagBytes(),
                    node.latency().toNanos() / 1e6,
                    node.failures() > 0 || refuses(node) ? node.lastError() : null,
                    node.errorRate(),
                    new Pool(
                            node.connections().max(),
                            node.connections().acquired(),
                            node.connections().idle(),
                            node.connections().pending()));
        }

        /** Says whether it has never answered and yet is there: a wrong password, say, is no silence. */
        static boolean refuses(NodeStatus node) {
            return node.role() == NodeRole.UNKNOWN && node.lastError() != null;
        }

        static Health health(NodeStatus node) {
            if (node.failures() > 0 || node.lost() || node.fenced() || refuses(node)) {
                return Health.DOWN;
            }
            if (node.role() == NodeRole.UNKNOWN) {
                return Health.UNKNOWN;
            }
            return node.state() == NodeState.HEALTHY ? Health.UP : Health.DEGRADED;
        }

        static String reason(NodeStatus node) {
            if (node.fenced()) {
                return "is fenced off: it must get no writes";
            }
            if (node.failures() > 0) {
                return "has not answered the last " + probes(node.failures());
            }
            if (refuses(node)) {
                return "has refused every probe so far";
            }
            if (node.role() == NodeRole.UNKNOWN) {
                return "has not been asked yet";
            }
            if (node.breakerOpen()) {
                return "is left out: half of its last calls failed";
            }
            return switch (node.state()) {
                case LAGGING -> "lags behind its primary";
                case EJECTED -> "is ejected";
                case HEALTHY -> "";
            };
        }
    }

    /** Connections of a node. */
    record Pool(int max, int acquired, int idle, int pending) {}

    private static String probes(int failures) {
        return failures == 1 ? "probe" : failures + " probes";
    }
}
