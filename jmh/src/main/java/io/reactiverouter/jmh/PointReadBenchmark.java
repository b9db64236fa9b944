package io.reactiverouter.jmh;

import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.pool.ConnectionPoolConfiguration;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactories;
import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.test.EmbeddedShards;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.topology.Shard;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * What does routing add to a read by primary key? The same reads over the same two shards, 64 in flight, pools of 16
 * connections: through the router, and with r2dbc-pool by hand ({@code key mod 2}). Both read with one round trip.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -jar jmh/target/benchmarks.jar PointReadBenchmark -prof gc
 * }</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 5, time = 3)
@Measurement(iterations = 5, time = 3)
@Fork(3)
public class PointReadBenchmark {

    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final int READS = 8_192;
    private static final int IN_FLIGHT = 64;
    private static final int ROWS = 100_000;
    private static final int POOL = 16;
    private static final String SQL = "select balance from accounts where account_id = $1";

    private @Nullable EmbeddedShards shards;
    private @Nullable ShardCluster cluster;
    private @Nullable ShardRouter router;
    private ConnectionPool[] pools = {};
    private long next;

    /** Starts two shards and fills them. */
    @Setup
    public void start() throws SQLException {
        EmbeddedShards started = EmbeddedShards.start(2);
        shards = started;
        ShardCluster.Builder builder = ShardCluster.builder().pool(PoolSettings.DEFAULTS.withMaxSize(POOL));
        pools = new ConnectionPool[started.size()];
        for (int i = 0; i < started.size(); i++) {
            ShardNode node = started.node(i);
            fill(node, i);
            builder.shard(Shard.named(node.name()).primary(node.r2dbcUrl()));
            pools[i] = new ConnectionPool(ConnectionPoolConfiguration.builder(ConnectionFactories.get(node.r2dbcUrl()))
                    .initialSize(0)
                    .maxSize(POOL)
                    .build());
        }
        ShardCluster built = builder.build();
        cluster = built;
        router = built.router(Keyspace.named("accounts").key("account_id").strategy(ShardingStrategy.modulo()));
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

    /** Stops everything. */
    @TearDown
    public void stop() {
        Objects.requireNonNull(cluster).close().block(LIMIT);
        for (ConnectionPool pool : pools) {
            pool.disposeLater().block(LIMIT);
        }
        Objects.requireNonNull(shards).close();
    }

    /** Reads through the router. */
    @Benchmark
    @OperationsPerInvocation(READS)
    public long routed() {
        ShardRouter routing = Objects.requireNonNull(router);
        return run(key -> routing.shard(ShardKey.of(key))
                .queryOne(Query.of(SQL, key), row -> Objects.requireNonNull(row.get(0, Long.class))));
    }

    /** Reads with the pool by hand. */
    @Benchmark
    @OperationsPerInvocation(READS)
    public long byHand() {
        return run(key -> Mono.usingWhen(
                pools[(int) Math.floorMod(key, (long) pools.length)].create(),
                connection -> Flux.from(
                                connection.createStatement(SQL).bind(0, key).execute())
                        .concatMap(
                                result -> result.map((row, metadata) -> Objects.requireNonNull(row.get(0, Long.class))))
                        .singleOrEmpty(),
                Connection::close));
    }

    private long run(LongFunction<Mono<Long>> read) {
        next += READS;
        return Flux.range(0, READS)
                .flatMap(i -> read.apply((next + i * 31L) % ROWS), IN_FLIGHT)
                .reduce(0L, Long::sum)
                .blockOptional(LIMIT)
                .orElseThrow();
    }
}
