package io.reactiverouter.scatter;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.Parameter;
import io.reactiverouter.order.Subquery;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/**
 * What the servers have said about the types of queries, so that they are asked once for each query and not once for each
 * call.
 *
 * @param <W> what is wanted of a query, as an order
 * @param <P> what a server says about it
 */
final class Plans<W, P> {

    private static final int MAX_PLANS = 4_096;

    /** Most changes of tables are noticed by an error, but not all. */
    private static final Duration MAX_AGE = Duration.ofMinutes(5);

    private final Cache<Key, P> plans = Caffeine.newBuilder()
            .maximumSize(MAX_PLANS)
            .expireAfterWrite(MAX_AGE)
            .build();
    private final Description<W, P> description;

    Plans(Description<W, P> description) {
        this.description = description;
    }

    /** Asks a server. */
    @FunctionalInterface
    interface Description<W, P> {

        Mono<P> describe(Connection connection, String sql, @Nullable Object[] parameters, W wanted);
    }

    /** Types of parameters count: they can decide about those of columns. */
    private record Key(NodeId node, String sql, List<Object> types, Object wanted) {}

    private static <W> Key key(NodeId node, ShardId shard, ScatterQuery<?> query, W wanted) {
        List<Object> types = new ArrayList<>();
        for (Object parameter : query.parameters(shard)) {
            types.add(
                    parameter instanceof Parameter typed
                            ? typed.getType()
                            : parameter == null ? Void.class : parameter.getClass());
        }
        return new Key(node, query.sql(), types, wanted);
    }

    /** Returns what a node says, asking it on this connection if that is not known yet. */
    Mono<P> plan(NodeId node, ShardId shard, Connection connection, ScatterQuery<?> query, W wanted) {
        Key key = key(node, shard, query, wanted);
        P known = plans.getIfPresent(key);
        return known != null
                ? Mono.just(known)
                : description
                        .describe(connection, Subquery.withoutEnd(query.sql()), query.parameters(shard), wanted)
                        .doOnNext(plan -> plans.put(key, plan));
    }

    /** Returns what a node has said, null if it has not been asked. */
    @Nullable P known(NodeId node, ShardId shard, ScatterQuery<?> query, W wanted) {
        return plans.getIfPresent(key(node, shard, query, wanted));
    }

    /** Forgets what a node has said about a query, whatever the parameters, since its tables may have changed. */
    void forget(NodeId node, ScatterQuery<?> query, W wanted) {
        plans.asMap()
                .keySet()
                .removeIf(key -> key.node().equals(node)
                        && key.sql().equals(query.sql())
                        && key.wanted().equals(wanted));
    }
}
