package io.reactiverouter;

import io.r2dbc.spi.Connection;
import io.reactiverouter.audit.PlacementAudit;
import io.reactiverouter.connection.NodePools;
import io.reactiverouter.connection.NotPrimaryException;
import io.reactiverouter.connection.PoolStatistics;
import io.reactiverouter.connection.ShardExecutor;
import io.reactiverouter.connection.ShardExecutor.Residue;
import io.reactiverouter.failover.FailoverExecutor;
import io.reactiverouter.failover.Replay;
import io.reactiverouter.failover.ReplicaReads;
import io.reactiverouter.health.ClusterStatus;
import io.reactiverouter.health.HealthMonitor;
import io.reactiverouter.health.ShardStatus;
import io.reactiverouter.observation.CallInfo;
import io.reactiverouter.observation.CallInstrumentation;
import io.reactiverouter.observation.CallKind;
import io.reactiverouter.routing.RoutingTable;
import io.reactiverouter.scatter.FailurePolicy;
import io.reactiverouter.scatter.PageCursor;
import io.reactiverouter.scatter.ScatterGather;
import io.reactiverouter.scatter.ScatterSettings;
import io.reactiverouter.scatter.Selection;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.ReadPreference;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/** Puts routing table, pools and scatter-gather together. */
final class DefaultShardCluster implements ShardCluster {

    private static final int WARMUP_CONCURRENCY = 16;
    private static final Duration IDENTITY_LIMIT = Duration.ofSeconds(30);
    private static final Duration CLOSE_LIMIT = Duration.ofSeconds(5);

    private final RoutingTable table;
    private final NodePools pools;
    private final HealthMonitor health;
    private final @Nullable String name;
    private final FailoverExecutor executor;
    private final ReplicaReads reads;
    private final ScatterGather scatter;
    private final PlacementAudit audit;
    private final ScatterSettings scattering;
    private final @Nullable Duration callTimeout;
    private final PageCursor cursors;
    private final CallInstrumentation instrumentation;

    DefaultShardCluster(
            RoutingTable table,
            NodePools pools,
            HealthMonitor health,
            FailoverExecutor executor,
            ReplicaReads reads,
            @Nullable String name,
            @Nullable Duration callTimeout,
            PageCursor cursors,
            CallInstrumentation instrumentation) {
        this.table = table;
        this.pools = pools;
        this.health = health;
        this.name = name;
        this.executor = executor;
        this.callTimeout = callTimeout;
        this.cursors = cursors;
        this.instrumentation = instrumentation;
        this.reads = reads;
        this.scattering = new ScatterSettings(
                callTimeout, null, FailurePolicy.FAIL_FAST, ScatterOperations.DEFAULT_CONCURRENCY, null);
        ShardExecutor writing = new NotingExecutor(executor);
        this.scatter = new ScatterGather(reading -> reading == null ? writing : reads.reading(reading), table::primary);
        this.audit = new PlacementAudit(executor, table::primary);
    }

    @Override
    public ShardRouter router(Keyspace keyspace) {
        table.place(keyspace);
        return new DefaultShardRouter(this, table, keyspace.name(), keyspace.reading());
    }

    @Override
    public ShardOperations shard(ShardId shard) {
        table.primary(shard);
        return operations(null, () -> shard, null);
    }

    @Override
    public ScatterOperations allShards() {
        List<ShardId> all = shardIds();
        return scatterOperations(null, () -> all, null);
    }

    @Override
    public List<Shard> shards() {
        return table.shards();
    }

    @Override
    public PoolStatistics poolStatistics(NodeId node) {
        return pools.statistics(node);
    }

    @Override
    public Mono<Void> warmup() {
        return Flux.fromIterable(shardIds())
                .flatMapDelayError(this::warmup, WARMUP_CONCURRENCY, 1)
                .then()
                .onErrorStop();
    }

    /** Of the node that is primary now, whichever was named as it. */
    private Mono<Void> warmup(ShardId shard) {
        return Mono.defer(() -> {
            health.start();
            return health.verify(shard).then(Mono.defer(() -> pools.warmup(List.of(table.primary(shard)))));
        });
    }

    @Override
    public Mono<Void> writeIdentities() {
        String cluster = name;
        if (cluster == null) {
            throw new IllegalStateException("the cluster has no name to write down; give it one with name(...)");
        }
        return Flux.fromIterable(shardIds())
                .flatMapDelayError(shard -> writeIdentity(shard, cluster), WARMUP_CONCURRENCY, 1)
                .then()
                .onErrorStop();
    }

    private Mono<Void> writeIdentity(ShardId shard, String cluster) {
        return health.verify(shard).then(Mono.defer(() -> {
            NodeId node = table.primary(shard);
            if (!table.takesWrites(node)) {
                return Mono.error(new NotPrimaryException(node, "it is fenced off"));
            }
            return Mono.usingWhen(
                            pools.apart(node),
                            connection -> Identity.write(node, connection, cluster),
                            connection -> pools.cut(node, connection))
                    .timeout(IDENTITY_LIMIT);
        }));
    }

    @Override
    public ClusterStatus status() {
        return health.status(executor::errorRate);
    }

    @Override
    public ShardStatus status(ShardId shard) {
        return health.status(shard, executor::errorRate);
    }

    @Override
    public void watch() {
        health.start();
    }

    @Override
    public Mono<ClusterStatus> refresh() {
        return health.refresh().then(Mono.fromSupplier(this::status));
    }

    @Override
    public Mono<Void> close() {
        return health.close()
                .timeout(CLOSE_LIMIT)
                // The pools and their threads must not stay because of a probe.
                .onErrorComplete()
                .then(pools.close());
    }

    @Override
    public Function<Context, Context> inTransactionOf(ShardId shard, Mono<? extends Connection> connection) {
        table.primary(shard);
        return entering(TransactionScope.foreign(shard, connection));
    }

    /** Returns calls to the shard that {@code locator} gives with each subscription. */
    ShardOperations operations(@Nullable String keyspace, Supplier<ShardId> locator, @Nullable ReadPreference reading) {
        return new DefaultShardOperations(this, keyspace, locator, callTimeout, reading);
    }

    /** Returns calls to the shards that {@code route} gives with each subscription. */
    ScatterOperations scatterOperations(
            @Nullable String keyspace, Supplier<List<ShardId>> route, @Nullable ReadPreference reading) {
        return scatterOperations(
                keyspace, () -> new DefaultScatterOperations.Targets(route.get(), null), Selection.ALL, reading);
    }

    ScatterOperations scatterOperations(
            @Nullable String keyspace,
            Supplier<DefaultScatterOperations.Targets> route,
            Selection selection,
            @Nullable ReadPreference reading) {
        return new DefaultScatterOperations(this, keyspace, route, scattering.withReading(reading), selection);
    }

    <T> Flux<T> observed(
            @Nullable String keyspace, CallKind kind, String operation, @Nullable String sql, Flux<T> answer) {
        return instrumentation == CallInstrumentation.NONE
                ? answer
                : instrumentation.call(new CallInfo(keyspace, kind, operation, sql), answer);
    }

    Function<Context, Context> entering(TransactionScope scope) {
        return context -> context.put(this, scope);
    }

    @Nullable TransactionScope scope(ContextView context) {
        return context.getOrDefault(this, null);
    }

    /**
     * Does nothing outside of transactions.
     *
     * @throws CrossShardTransactionException inside
     */
    void requireNoTransaction(ContextView context, Supplier<String> target) {
        TransactionScope scope = scope(context);
        if (scope != null) {
            throw new CrossShardTransactionException(scope.shard(), target.get());
        }
    }

    List<ShardId> shardIds() {
        return table.shards().stream().map(Shard::id).toList();
    }

    PlacementAudit audit() {
        return audit;
    }

    <T> Flux<T> execute(
            ShardId shard, Residue residue, Replay replay, Function<? super Connection, ? extends Publisher<T>> work) {
        return executor.execute(table.primary(shard), residue, replay, work);
    }

    <T> Flux<T> read(
            ShardId shard, ReadPreference preference, Function<? super Connection, ? extends Publisher<T>> work) {
        return reads.execute(shard, preference, Residue.NONE, work);
    }

    Mono<Connection> borrow(ShardId shard) {
        return executor.acquire(table.primary(shard), pools::acquire);
    }

    PageCursor cursors() {
        return cursors;
    }

    ScatterGather scatter() {
        return scatter;
    }

    @Override
    public String toString() {
        return "ShardCluster" + table.shards().stream().map(Shard::id).toList();
    }
}
