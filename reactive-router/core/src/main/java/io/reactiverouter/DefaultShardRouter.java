package io.reactiverouter;

import io.reactiverouter.audit.TableAudit;
import io.reactiverouter.routing.Placement;
import io.reactiverouter.routing.Route;
import io.reactiverouter.routing.RoutingTable;
import io.reactiverouter.scatter.Selection;
import io.reactiverouter.strategy.Distribution;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.strategy.UnroutableKeyException;
import io.reactiverouter.topology.ReadPreference;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Reads the routing table anew for each call. */
final class DefaultShardRouter implements ShardRouter {

    private static final int DEFAULT_EXAMPLES = 100;

    private final DefaultShardCluster cluster;
    private final RoutingTable table;
    private final String keyspace;
    private final @Nullable ReadPreference reading;

    DefaultShardRouter(
            DefaultShardCluster cluster, RoutingTable table, String keyspace, @Nullable ReadPreference reading) {
        this.cluster = cluster;
        this.table = table;
        this.keyspace = keyspace;
        this.reading = reading;
    }

    @Override
    public ShardRouter reading(ReadPreference preference) {
        return new DefaultShardRouter(
                cluster, table, keyspace, Objects.requireNonNull(preference, "read preference must not be null"));
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
        return cluster.operations(keyspace, () -> table.route(keyspace, key).shard(), reading);
    }

    @Override
    public ScatterOperations shards(Collection<? extends ShardKey> keys) {
        if (keys.isEmpty()) {
            throw new IllegalArgumentException("shards(keys) needs at least one key, has none; allShards() asks all");
        }
        keys.forEach(UnroutableKeyException::requireNonNull);
        List<ShardKey> copy = List.copyOf(keys);
        return cluster.scatterOperations(
                keyspace, () -> table.route(keyspace, copy).shards(), reading);
    }

    @Override
    public ScatterOperations lookup(Collection<? extends ShardKey> keys) {
        List<ShardKey> copy = required("lookup", keys);
        return cluster.scatterOperations(keyspace, () -> lookup(copy, false), Selection.ALL, reading);
    }

    @Override
    public ScatterOperations lookupInOrder(Collection<? extends ShardKey> keys) {
        List<ShardKey> copy = required("lookupInOrder", keys);
        return cluster.scatterOperations(
                keyspace, () -> lookup(copy, true), Selection.ALL.withOrder(List.of(KeyLookup.ORDER), true), reading);
    }

    private DefaultScatterOperations.Targets lookup(List<ShardKey> keys, boolean ordered) {
        Route.Several route = table.route(keyspace, keys);
        Keyspace place = placement().keyspace();
        return new DefaultScatterOperations.Targets(
                route.shards(), KeyLookup.of(keys, route, place.quoted(place.keyColumn()), ordered));
    }

    private static List<ShardKey> required(String call, Collection<? extends ShardKey> keys) {
        if (keys.isEmpty() || keys.size() > MAX_LOOKUP) {
            throw new IllegalArgumentException(
                    call + " takes from 1 to " + MAX_LOOKUP + " keys, got " + keys.size() + "; allShards() asks all");
        }
        keys.forEach(UnroutableKeyException::requireNonNull);
        List<ShardKey> copy = List.copyOf(keys);
        KeyLookup.requireOneType(copy);
        return copy;
    }

    @Override
    public ScatterOperations between(ShardKey from, ShardKey to) {
        UnroutableKeyException.requireNonNull(from);
        UnroutableKeyException.requireNonNull(to);
        return cluster.scatterOperations(keyspace, () -> table.between(keyspace, from, to), reading);
    }

    @Override
    public Placement replacePlacement(Placement expected, ShardingStrategy next) {
        if (!expected.keyspace().name().equals(keyspace)) {
            throw new IllegalArgumentException("the placement is of keyspace "
                    + expected.keyspace().name() + ", this router is of keyspace " + keyspace);
        }
        return table.replace(expected, next);
    }

    @Override
    public Flux<TableAudit> audit() {
        return audit(DEFAULT_EXAMPLES);
    }

    @Override
    public Flux<TableAudit> audit(int examples) {
        if (examples < 0) {
            throw new IllegalArgumentException("examples must be at least 0, were " + examples);
        }
        return Flux.deferContextual(context -> {
            cluster.requireNoTransaction(context, () -> "an audit of keyspace " + keyspace);
            return cluster.audit().run(placement(), cluster.shardIds(), examples);
        });
    }

    @Override
    public Mono<KeyspaceStatistics> statistics() {
        return Mono.defer(() -> RowStatistics.of(cluster, placement()));
    }

    @Override
    public Distribution distribution(Iterable<? extends @Nullable ShardKey> sample) {
        return Distribution.of(placement().strategy(), sample);
    }

    @Override
    public ScatterOperations allShards() {
        return cluster.scatterOperations(
                keyspace, () -> table.routeAll(keyspace).shards(), reading);
    }

    @Override
    public String toString() {
        return "ShardRouter[" + keyspace + "]";
    }
}
