package io.reactiverouter.aggregate;

import static io.reactiverouter.TestClusters.TIMEOUT;

import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.topology.Shard;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.NullUnmarked;
import reactor.core.publisher.Flux;

/** Runs aggregations over all shards of a cluster: each is described, the answers merged in order. */
@NullUnmarked
final class AggregateShards {

    private static final int PREFETCH = 32;

    private final ShardCluster cluster;

    /** Rows of shards that have been read. */
    final AtomicLong read = new AtomicLong();

    AggregateShards(ShardCluster cluster) {
        this.cluster = cluster;
    }

    AggregatePlan describe(Aggregation aggregation, String sql, Object... parameters) {
        List<AggregatePlan> plans = Flux.fromIterable(cluster.shards())
                .concatMap(shard -> describe(shard, aggregation, sql, parameters))
                .collectList()
                .block(TIMEOUT);
        plans.forEach(plan -> plans.get(0).requireSame(plan));
        return plans.get(0);
    }

    private Flux<AggregatePlan> describe(Shard shard, Aggregation aggregation, String sql, Object... parameters) {
        return cluster.shard(shard.id())
                .withConnection(connection -> AggregatePlan.describe(connection, sql, parameters, aggregation))
                .flux();
    }

    @SuppressWarnings("unchecked")
    Flux<AggregateRow> run(Aggregation aggregation, String sql, Object... parameters) {
        AggregatePlan plan = describe(aggregation, sql, parameters);
        Query query = Query.of(plan.shardQuery(), parameters).fetchSize(100);
        Flux<PartialGroup>[] shards = cluster.shards().stream()
                .map(shard -> cluster.shard(shard.id()).query(query, row -> {
                    read.incrementAndGet();
                    return plan.read(row);
                }))
                .toArray(Flux[]::new);
        return plan.merge(Flux.mergeComparing(PREFETCH, plan.comparator(), shards));
    }

    List<AggregateRow> rows(Aggregation aggregation, String sql, Object... parameters) {
        return run(aggregation, sql, parameters).collectList().block(TIMEOUT);
    }
}
