package io.reactiverouter.jmh;

import static io.reactiverouter.order.SortKey.asc;

import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.pool.ConnectionPoolConfiguration;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactories;
import io.r2dbc.spi.Row;
import io.reactiverouter.Query;
import io.reactiverouter.ScatterOperations;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.test.EmbeddedShards;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.topology.Shard;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import reactor.core.publisher.Flux;

/**
 * What does it cost to get rows of several shards in one order? A million rows over four shards, by primary key: merged in
 * order; as they come; one shard after the other through the router; and the same with r2dbc-pool and the driver by hand. All
 * read portions of 1 024 rows and map two columns.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -jar jmh/target/benchmarks.jar OrderedMergeBenchmark
 * }</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3)
@Measurement(iterations = 7)
@Fork(1)
public class OrderedMergeBenchmark {

    private static final int SHARDS = 4;
    private static final int ROWS = 1_000_000;
    private static final int FETCH_SIZE = 1_024;
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final String SQL = "select id, note from events order by id";

    private final List<ConnectionPool> pools = new ArrayList<>();
    private @Nullable EmbeddedShards shards;
    private @Nullable ShardCluster cluster;

    /** Starts the shards and fills them. */
    @Setup
    public void start() throws SQLException {
        EmbeddedShards started = EmbeddedShards.start(SHARDS);
        shards = started;
        ShardCluster.Builder builder = ShardCluster.builder();
        for (int i = 0; i < SHARDS; i++) {
            ShardNode node = started.node(i);
            try (java.sql.Connection connection = node.openJdbc();
                    Statement statement = connection.createStatement()) {
                statement.execute("create table events as select n::bigint as id, md5(n::text) as note"
                        + " from generate_series(" + (i + 1) + ", " + ROWS + ", " + SHARDS + ") n");
                statement.execute("alter table events add primary key (id)");
                statement.execute("vacuum analyze events");
            }
            builder.shard(Shard.named(node.name()).primary(node.r2dbcUrl()));
            pools.add(new ConnectionPool(ConnectionPoolConfiguration.builder(ConnectionFactories.get(node.r2dbcUrl()))
                    .maxSize(4)
                    .build()));
        }
        cluster = builder.build();
    }

    /** Ends everything. */
    @TearDown
    public void stop() {
        pools.forEach(ConnectionPool::dispose);
        Objects.requireNonNull(cluster).close().block(LIMIT);
        Objects.requireNonNull(shards).close();
    }

    /** Merged in order; the shards sort by their index. */
    @Benchmark
    public long ordered() {
        return count(all().orderBy(asc("id")), "select id, note from events");
    }

    /** In no order. */
    @Benchmark
    public long asTheyCome() {
        return count(all(), SQL);
    }

    /** One shard after the other. */
    @Benchmark
    public long sequential() {
        return count(all().sequential(), SQL);
    }

    /** One shard after the other, without the router. */
    @Benchmark
    public long concatByHand() {
        return Objects.requireNonNull(Flux.fromIterable(pools)
                .concatMap(
                        pool -> Flux.usingWhen(
                                pool.create(),
                                connection -> Flux.from(connection
                                                .createStatement(SQL)
                                                .fetchSize(FETCH_SIZE)
                                                .execute())
                                        .concatMap(result -> result.map((row, metadata) -> length(row))),
                                Connection::close),
                        1)
                .reduce(0L, Long::sum)
                .block(LIMIT));
    }

    private ScatterOperations all() {
        return Objects.requireNonNull(cluster).allShards();
    }

    private static long count(ScatterOperations operations, String sql) {
        return Objects.requireNonNull(operations
                .query(Query.of(sql).fetchSize(FETCH_SIZE), OrderedMergeBenchmark::length)
                .reduce(0L, Long::sum)
                .block(LIMIT));
    }

    private static Long length(Row row) {
        return Objects.requireNonNull(row.get(0, Long.class))
                + Objects.requireNonNull(row.get(1, String.class)).length();
    }
}
