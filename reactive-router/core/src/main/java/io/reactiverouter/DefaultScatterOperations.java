package io.reactiverouter;

import io.r2dbc.spi.Row;
import io.reactiverouter.scatter.FailurePolicy;
import io.reactiverouter.scatter.Gathered;
import io.reactiverouter.scatter.ScatterManifest;
import io.reactiverouter.scatter.ScatterSettings;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Calls to several shards, found by {@code route} with each subscription. */
final class DefaultScatterOperations implements ScatterOperations {

    private final DefaultShardCluster cluster;
    private final Supplier<List<ShardId>> route;
    private final ScatterSettings settings;

    DefaultScatterOperations(DefaultShardCluster cluster, Supplier<List<ShardId>> route, ScatterSettings settings) {
        this.cluster = cluster;
        this.route = route;
        this.settings = settings;
    }

    @Override
    public ScatterOperations shardTimeout(Duration timeout) {
        return with(settings.withShardTimeout(timeout));
    }

    @Override
    public ScatterOperations onFailure(FailurePolicy policy) {
        return with(settings.withPolicy(policy));
    }

    @Override
    public ScatterOperations concurrency(int shards) {
        return with(settings.withConcurrency(shards));
    }

    @Override
    public <T> Flux<T> query(Query query, Function<? super Row, ? extends T> mapper) {
        return Flux.deferContextual(context -> {
            cluster.requireNoTransaction(context, () -> "scatter-gather over shards " + route.get());
            return cluster.scatter().rows(route.get(), settings, connection -> query.fetch(connection, mapper));
        });
    }

    @Override
    public <T> Flux<Gathered<T>> gather(Query query, Function<? super Row, ? extends T> mapper) {
        return Flux.deferContextual(context -> {
            cluster.requireNoTransaction(context, () -> "scatter-gather over shards " + route.get());
            return cluster.scatter().gather(route.get(), settings, connection -> query.fetch(connection, mapper));
        });
    }

    @Override
    public Mono<ScatterManifest> execute(String sql) {
        Query statement = Query.of(sql);
        return Mono.deferContextual(context -> {
            cluster.requireNoTransaction(context, () -> "scatter-gather over shards " + route.get());
            return cluster.scatter().run(route.get(), settings, statement::update);
        });
    }

    private ScatterOperations with(ScatterSettings changed) {
        return new DefaultScatterOperations(cluster, route, changed);
    }
}
