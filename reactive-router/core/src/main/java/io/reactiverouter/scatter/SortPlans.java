package io.reactiverouter.scatter;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.r2dbc.spi.Connection;
import io.reactiverouter.order.SortKey;
import io.reactiverouter.order.SortPlan;
import io.reactiverouter.order.Subquery;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.ShardId;
import java.util.List;
import reactor.core.publisher.Mono;

/** What the servers have said about how they sort, so that they are asked once for each query and not once for each call. */
final class SortPlans {

    private static final int MAX_PLANS = 4_096;

    private final Cache<Key, SortPlan> plans =
            Caffeine.newBuilder().maximumSize(MAX_PLANS).build();

    private record Key(NodeId node, String sql, List<SortKey> order) {}

    /** Returns how a node sorts a query, asking it on this connection if that is not known yet. */
    Mono<SortPlan> plan(NodeId node, ShardId shard, Connection connection, ScatterQuery<?> query, List<SortKey> order) {
        Key key = new Key(node, query.sql(), order);
        SortPlan known = plans.getIfPresent(key);
        return known != null
                ? Mono.just(known)
                : SortPlan.describe(connection, Subquery.withoutEnd(query.sql()), query.parameters(shard), order)
                        .doOnNext(plan -> plans.put(key, plan));
    }

    /** Forgets a plan, since the tables may have changed. */
    void forget(NodeId node, ScatterQuery<?> query, List<SortKey> order) {
        plans.invalidate(new Key(node, query.sql(), order));
    }
}
