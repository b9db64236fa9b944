package io.reactiverouter.scatter;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.r2dbc.spi.Connection;
import io.reactiverouter.order.Subquery;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.ShardId;
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

    private final Cache<Key, P> plans =
            Caffeine.newBuilder().maximumSize(MAX_PLANS).build();
    private final Description<W, P> description;

    Plans(Description<W, P> description) {
        this.description = description;
    }

    /** Asks a server. */
    @FunctionalInterface
    interface Description<W, P> {

        Mono<P> describe(Connection connection, String sql, @Nullable Object[] parameters, W wanted);
    }

    private record Key(NodeId node, String sql, Object wanted) {}

    /** Returns what a node says, asking it on this connection if that is not known yet. */
    Mono<P> plan(NodeId node, ShardId shard, Connection connection, ScatterQuery<?> query, W wanted) {
        Key key = new Key(node, query.sql(), wanted);
        P known = plans.getIfPresent(key);
        return known != null
                ? Mono.just(known)
                : description
                        .describe(connection, Subquery.withoutEnd(query.sql()), query.parameters(shard), wanted)
                        .doOnNext(plan -> plans.put(key, plan));
    }

    /** Returns what a node has said, null if it has not been asked. */
    @Nullable P known(NodeId node, ScatterQuery<?> query, W wanted) {
        return plans.getIfPresent(new Key(node, query.sql(), wanted));
    }

    /** Forgets what a node has said, since its tables may have changed. */
    void forget(NodeId node, ScatterQuery<?> query, W wanted) {
        plans.invalidate(new Key(node, query.sql(), wanted));
    }
}
