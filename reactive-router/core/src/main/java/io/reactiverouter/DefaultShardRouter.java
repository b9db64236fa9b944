package io.reactiverouter;

import io.reactiverouter.routing.Placement;
import io.reactiverouter.routing.Route;
import io.reactiverouter.routing.RoutingTable;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.UnroutableKeyException;
import java.util.Collection;
import java.util.List;

/** Reads the routing table anew for each call. */
final class DefaultShardRouter implements ShardRouter {

    private final DefaultShardCluster cluster;
    private final RoutingTable table;
    private final String keyspace;

    DefaultShardRouter(DefaultShardCluster cluster, RoutingTable table, String keyspace) {
        this.cluster = cluster;
        this.table = table;
        this.keyspace = keyspace;
    }

    @Override
    public Placement placement() {
        return table.placement(keyspace);
    }

    @Override
    public Route.Single route(ShardKey key) {
        return table.route(keyspace, UnroutableKeyException.requireNonNull(key));
    }

    @Override
    public ShardOperations shard(ShardKey key) {
        UnroutableKeyException.requireNonNull(key);
        return cluster.operations(() -> table.route(keyspace, key).shard());
    }

    @Override
    public ScatterOperations shards(Collection<? extends ShardKey> keys) {
        if (keys.isEmpty()) {
            throw new IllegalArgumentException("shards(keys) needs at least one key, has none; allShards() asks all");
        }
        keys.forEach(UnroutableKeyException::requireNonNull);
        List<ShardKey> copy = List.copyOf(keys);
        return cluster.scatterOperations(() -> table.route(keyspace, copy).shards());
    }

    @Override
    public ScatterOperations allShards() {
        return cluster.scatterOperations(() -> table.routeAll(keyspace).shards());
    }

    @Override
    public String toString() {
        return "ShardRouter[" + keyspace + "]";
    }
}
