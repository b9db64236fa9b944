package io.reactiverouter.jmh;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.pool.ConnectionPoolConfiguration;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactories;
import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.micrometer.CallMetrics;
import io.reactiverouter.observation.CallInstrumentation;
import io.reactiverouter.observation.SqlLog;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.test.EmbeddedShards;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.topology.Shard;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.LongFunction;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * The same reads by primary key over the same two shards, a fixed number in flight, pools of 16 connections: by hand, routed,
 * and routed with meters. All read with one round trip.
 */
final class PointReads implements AutoCloseable {

    /** Reads of one batch. */
    static final int READS = 8_192;

    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final int SHARDS = 2;
    private static final int IN_FLIGHT = 64;
    private static final int ROWS = 100_000;
    private static final int POOL = 16;
    private static final String SQL = "select balance from accounts where account_id = $1";
    private static final Keyspace ACCOUNTS =
            Keyspace.named("accounts").key("account_id").strategy(ShardingStrategy.modulo());

    private final EmbeddedShards shards;
    private final ConnectionPool[] pools;
    private final List<ShardCluster> clusters = new ArrayList<>();
    private final ShardRouter router;
    private final ShardRouter routerAgain;
    private final ShardRouter meteredRouter;
    private long next;

    private PointReads(EmbeddedShards shards) {
        this.shards = shards;
        this.pools = shards.nodes().stream().map(PointReads::pool).toArray(ConnectionPool[]::new);
        this.router = open(ShardCluster.builder());
        this.routerAgain = open(ShardCluster.builder());
        // As the starter does it.
        CallMetrics metrics = new CallMetrics(new SimpleMeterRegistry());
        this.meteredRouter = open(ShardCluster.builder()
                .instrumentation(CallInstrumentation.of(List.of(metrics, new SqlLog(null))))
                .listener(metrics));
    }

    /** Starts two shards and fills them. */
    static PointReads start() throws SQLException {
        EmbeddedShards started = EmbeddedShards.start(SHARDS);
        for (int i = 0; i < SHARDS; i++) {
            fill(started.node(i), i);
        }
        return new PointReads(started);
    }

    private static void fill(ShardNode node, int remainder) throws SQLException {
        try (java.sql.Connection connection = node.openJdbc();
                Statement statement = connection.createStatement()) {
            statement.execute("create table accounts (account_id bigint primary key, balance bigint not null)");
            statement.execute(
                    "insert into accounts select n, n from generate_series(" + remainder + ", " + ROWS + ", 2) n");
            statement.execute("vacuum analyze accounts");
        }
    }

    private static ConnectionPool pool(ShardNode node) {
        return new ConnectionPool(ConnectionPoolConfiguration.builder(ConnectionFactories.get(node.r2dbcUrl()))
                .initialSize(0)
                .maxSize(POOL)
                .build());
    }

    private ShardRouter open(ShardCluster.Builder builder) {
        builder.pool(PoolSettings.DEFAULTS.withMaxSize(POOL));
        shards.nodes().forEach(node -> builder.shard(Shard.named(node.name()).primary(node.r2dbcUrl())));
        ShardCluster cluster = builder.build();
        clusters.add(cluster);
        return cluster.router(ACCOUNTS);
    }

    /** Reads with the pool by hand: {@code key mod 2}. */
    long byHand() {
        return run(key -> Mono.usingWhen(
                pools[(int) Math.floorMod(key, (long) pools.length)].create(),
                connection -> Flux.from(
                                connection.createStatement(SQL).bind(0, key).execute())
                        .concatMap(
                                result -> result.map((row, metadata) -> Objects.requireNonNull(row.get(0, Long.class))))
                        .singleOrEmpty(),
                Connection::close));
    }

    /** Reads through the router. */
    long routed() {
        return run(key -> read(router, key));
    }

    /** The same over a cluster of its own: what differs is the noise. */
    long routedAgain() {
        return run(key -> read(routerAgain, key));
    }

    /** Reads through a router that is metered as by the starter. */
    long metered() {
        return run(key -> read(meteredRouter, key));
    }

    private static Mono<Long> read(ShardRouter router, long key) {
        return router.shard(ShardKey.of(key))
                .queryOne(Query.of(SQL, key), row -> Objects.requireNonNull(row.get(0, Long.class)));
    }

    private long run(LongFunction<Mono<Long>> read) {
        next += READS;
        return Flux.range(0, READS)
                .flatMap(i -> read.apply((next + i * 31L) % ROWS), IN_FLIGHT)
                .reduce(0L, Long::sum)
                .blockOptional(LIMIT)
                .orElseThrow();
    }

    @Override
    public void close() {
        clusters.forEach(cluster -> cluster.close().block(LIMIT));
        for (ConnectionPool pool : pools) {
            pool.disposeLater().block(LIMIT);
        }
        shards.close();
    }
}
