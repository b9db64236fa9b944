package io.reactiverouter.spring.autoconfigure;

import io.reactiverouter.KeyspaceStatistics;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.connection.PoolStatistics;
import io.reactiverouter.health.ClusterStatus;
import io.reactiverouter.health.NodeStatus;
import io.reactiverouter.health.ShardStatus;
import io.reactiverouter.routing.Placement;
import io.reactiverouter.strategy.HashSlots;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Actuator endpoint {@code shards}: what is where and how it is. GET shows shards, nodes, pools, placements and about how many
 * rows each shard has; POST asks all nodes before it answers likewise. Shows addresses and errors of servers, and no passwords. Like any endpoint it has to be
 * exposed and secured by the application.
 */
@Endpoint(id = "shards")
public final class ShardsEndpoint {

    private static final Duration LIMIT = Duration.ofSeconds(15);
    private static final int CONCURRENT_KEYSPACES = 8;

    private final ShardCluster cluster;
    private final List<ShardRouter> routers;

    ShardsEndpoint(ShardCluster cluster, List<ShardRouter> routers) {
        this.cluster = cluster;
        this.routers = List.copyOf(routers);
    }

    /** Returns what is known now; asks the planners of all shards about their rows. */
    @ReadOperation
    public Mono<Map<String, Object>> shards() {
        return Mono.defer(() -> {
            cluster.watch();
            return answer(cluster.status());
        });
    }

    /** Asks all nodes, then returns what {@link #shards()} does. */
    @WriteOperation
    public Mono<Map<String, Object>> refresh() {
        return cluster.refresh().timeout(LIMIT).flatMap(this::answer);
    }

    private Mono<Map<String, Object>> answer(ClusterStatus status) {
        return Flux.fromIterable(routers)
                .flatMapSequential(this::keyspace, CONCURRENT_KEYSPACES)
                .collectList()
                .map(keyspaces -> {
                    Map<String, Object> answer = new LinkedHashMap<>();
                    answer.put("writable", status.writable());
                    answer.put("healthyNodes", status.healthy());
                    answer.put("nodes", status.total());
                    answer.put(
                            "shards",
                            cluster.shards().stream()
                                    .map(shard -> describe(shard, status.shard(shard.id())))
                                    .toList());
                    answer.put("keyspaces", keyspaces);
                    return answer;
                });
    }

    private static Map<String, Object> describe(Shard shard, ShardStatus status) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("name", shard.id().toString());
        answer.put("writable", status.writable());
        answer.put("primary", status.primary().endpoint());
        answer.put("weight", shard.weight());
        put(answer, "region", shard.region());
        answer.put("tags", shard.tags());
        answer.put(
                "nodes",
                status.nodes().stream()
                        .map(node -> {
                            Map<String, Object> described = new LinkedHashMap<>();
                            described.put("node", node.node().endpoint());
                            described.putAll(describe(node));
                            return described;
                        })
                        .toList());
        return answer;
    }

    /** Returns what is known of a node, without its address. */
    static Map<String, Object> describe(NodeStatus node) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("state", node.state().toString());
        put(answer, "since", node.since());
        answer.put("role", node.role().toString());
        answer.put("fenced", node.fenced());
        answer.put("timeline", node.timeline());
        answer.put("lagBytes", node.lagBytes());
        answer.put("lagMillis", node.lag().toMillis());
        answer.put("latencyMillis", node.latency().toNanos() / 1e6);
        answer.put("failures", node.failures());
        put(answer, "lastError", node.lastError());
        answer.put("errorRate", node.errorRate());
        answer.put("breakerOpen", node.breakerOpen());
        PoolStatistics pool = node.connections();
        Map<String, Object> connections = new LinkedHashMap<>();
        connections.put("max", pool.max());
        connections.put("acquired", pool.acquired());
        connections.put("idle", pool.idle());
        connections.put("pending", pool.pending());
        connections.put("waits", pool.waits());
        connections.put("timeouts", pool.timeouts());
        connections.put("rejected", pool.rejected());
        connections.put("opened", pool.opened());
        connections.put("closed", pool.closed());
        answer.put("connections", connections);
        return answer;
    }

    private static void put(Map<String, Object> answer, String name, @Nullable Object value) {
        if (value != null) {
            answer.put(name, value.toString());
        }
    }

    private Mono<Map<String, Object>> keyspace(ShardRouter router) {
        Placement placement = router.placement();
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("name", placement.keyspace().name());
        answer.put("key", placement.keyspace().keyColumn());
        answer.put("tables", placement.keyspace().tables());
        answer.put("strategy", placement.strategy().toString());
        answer.put("epoch", placement.epoch());
        if (placement.strategy() instanceof HashSlots slots) {
            answer.put("slots", ranges(slots));
        }
        return router.statistics()
                .map(statistics -> {
                    answer.put("imbalance", statistics.imbalance());
                    answer.put("rows", rows(statistics));
                    return answer;
                })
                .onErrorResume(error -> {
                    answer.put("rows", "unknown: " + error.getMessage());
                    return Mono.just(answer);
                });
    }

    private static Map<String, Object> rows(KeyspaceStatistics statistics) {
        Map<String, Object> rows = new LinkedHashMap<>();
        statistics
                .shards()
                .forEach(shard ->
                        rows.put(shard.shard().toString(), Map.of("rows", shard.rows(), "keys", shard.keys())));
        return rows;
    }

    /** Returns the ranges of slots of each shard, first and last one included. */
    private static Map<String, List<String>> ranges(HashSlots slots) {
        Map<String, List<String>> ranges = new LinkedHashMap<>();
        List<ShardId> owners = slots.owners();
        int from = 0;
        for (int slot = 1; slot <= owners.size(); slot++) {
            if (slot == owners.size() || !owners.get(slot).equals(owners.get(from))) {
                ranges.computeIfAbsent(owners.get(from).toString(), shard -> new ArrayList<>())
                        .add(from + "-" + (slot - 1));
                from = slot;
            }
        }
        return ranges;
    }
}
