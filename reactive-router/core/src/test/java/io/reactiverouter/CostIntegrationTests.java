package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.pool.ConnectionPoolConfiguration;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactories;
import io.r2dbc.spi.Row;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.health.HealthSettings;
import io.reactiverouter.observation.ClusterListener;
import io.reactiverouter.order.SortKey;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.Shard;
import java.lang.management.ManagementFactory;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongFunction;
import java.util.stream.LongStream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What calls cost, counted and not timed: statements on the servers, connections, and bytes beside those of a read by hand. */
@NullUnmarked
class CostIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS =
            ShardsExtension.embedded(2).setting("shared_preload_libraries", "pg_stat_statements");

    private static final String READ = "select balance from accounts where account_id = $1";
    private static final String WRITE = "update accounts set balance = balance + $2 where account_id = $1";
    private static final String BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE";
    private static final String SCATTERED = "select account_id from accounts where balance < $1";
    private static final int ROWS = 1_000;
    private static final int CALLS = 400;
    private static final int POOL = 4;

    private static final int READS = 2_000;
    private static final int WARMUP_ROUNDS = 5;
    private static final int ROUNDS = 11;

    /** What is counted. */
    private enum Call {
        QUERY_ONE(1, 1, Map.of(READ, 1)) {
            @Override
            Mono<?> run(ShardRouter on, long key) {
                return on.shard(ShardKey.of(key)).queryOne(Query.of(READ, key), CostIntegrationTests::number);
            }
        },

        /** Asks for a portion of rows, and once more to end the cursor. */
        QUERY(1, 2, Map.of(READ, 1)) {
            @Override
            Mono<?> run(ShardRouter on, long key) {
                return on.shard(ShardKey.of(key))
                        .query(Query.of(READ, key), CostIntegrationTests::number)
                        .then();
            }
        },

        UPDATE(1, 1, Map.of(WRITE, 1)) {
            @Override
            Mono<?> run(ShardRouter on, long key) {
                return on.shard(ShardKey.of(key)).update(Query.of(WRITE, key, 0L));
            }
        },

        TRANSACTION(1, 4, Map.of(BEGIN, 1, READ, 1, WRITE, 1, "COMMIT", 1)) {
            @Override
            Mono<?> run(ShardRouter on, long key) {
                return on.shard(ShardKey.of(key))
                        .inTransaction(connection -> Query.of(READ, key)
                                .fetchSize(0)
                                .fetch(connection, CostIntegrationTests::number)
                                .then(Query.of(WRITE, key, 0L).update(connection)));
            }
        },

        SCATTER(2, 2, Map.of(SCATTERED, 2)) {
            @Override
            Mono<?> run(ShardRouter on, long key) {
                return on.allShards()
                        .query(Query.of(SCATTERED, 1L).fetchSize(0), CostIntegrationTests::number)
                        .then();
            }
        };

        private final int shards;
        private final int roundTrips;

        @SuppressWarnings("ImmutableEnumChecker")
        private final Map<String, Integer> statements;

        Call(int shards, int roundTrips, Map<String, Integer> statements) {
            this.shards = shards;
            this.roundTrips = roundTrips;
            this.statements = statements;
        }

        abstract Mono<?> run(ShardRouter on, long key);
    }

    private static final AtomicInteger ACQUIRED = new AtomicInteger();
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static final List<MessageCount> MESSAGES = new ArrayList<>();

    private static ShardCluster cluster;
    private static ShardRouter router;

    @BeforeAll
    static void open() {
        for (int i = 0; i < SHARDS.size(); i++) {
            superuser(SHARDS.node(i), statement -> statement.execute("create extension pg_stat_statements"));
            TestClusters.sql(
                    SHARDS.node(i), "create table accounts (account_id bigint primary key, balance bigint not null)");
            TestClusters.sql(
                    SHARDS.node(i),
                    "insert into accounts select n, n from generate_series(" + i + ", " + ROWS + ", 2) n");
        }
        SHARDS.nodes().forEach(node -> MESSAGES.add(new MessageCount(node)));
        cluster = counted(POOL);
        router = router(cluster);
        cluster.warmup().block(TIMEOUT);
    }

    private static ShardCluster counted(int connections) {
        ShardCluster.Builder builder = ShardCluster.builder()
                .pool(PoolSettings.DEFAULTS.withMinSize(connections).withMaxSize(connections))
                // No probe while the test counts.
                .health(HealthSettings.DEFAULTS.withInterval(Duration.ofDays(30)))
                .listener(new ClusterListener() {
                    @Override
                    public void acquired(NodeId node, long waitNanos) {
                        ACQUIRED.incrementAndGet();
                    }
                });
        for (int i = 0; i < MESSAGES.size(); i++) {
            builder.shard(Shard.named("s" + i).primary(MESSAGES.get(i).r2dbcUrl()));
        }
        return builder.build();
    }

    private static ShardRouter router(ShardCluster of) {
        return of.router(Keyspace.named("accounts").key("account_id").strategy(ShardingStrategy.modulo()));
    }

    @AfterAll
    static void close() {
        cluster.close().block(TIMEOUT);
        MESSAGES.forEach(MessageCount::close);
        MESSAGES.clear();
    }

    @ParameterizedTest
    @EnumSource
    void serversRunTheStatementsOfTheCallAndNoOthers(Call call) {
        run(call);
        SHARDS.nodes().forEach(CostIntegrationTests::forgetStatements);

        run(call);

        Map<String, Long> expected = new TreeMap<>();
        call.statements.forEach((sql, count) -> expected.put(sql, (long) count * CALLS));
        assertThat(statements()).isEqualTo(expected);
    }

    @ParameterizedTest
    @EnumSource
    void connectionIsTakenOnceForEachShard(Call call) {
        run(call);
        ACQUIRED.set(0);

        run(call);

        assertThat(ACQUIRED).hasValue(CALLS * call.shards);
    }

    @ParameterizedTest
    @EnumSource
    void serversAreAskedNoMoreOftenThanTheStatementsNeed(Call call) {
        run(call);
        MESSAGES.forEach(MessageCount::forget);

        run(call);

        assertThat(MESSAGES.stream().mapToLong(MessageCount::roundTrips).sum())
                .isEqualTo((long) CALLS * call.roundTrips);
    }

    /** Without cursors, and without a cancel of what is left, after which each connection would be asked whether it is free. */
    @Test
    void limitOfAnOrderTakesOneRoundTripOfEachShard() {
        Flux<Long> latest = router.allShards()
                .orderBy(SortKey.desc("account_id"))
                .limit(10)
                .query(Query.of("select account_id from accounts"), CostIntegrationTests::number);
        assertThat(latest.collectList().block(TIMEOUT))
                .isEqualTo(LongStream.rangeClosed(0, 9).mapToObj(n -> ROWS - n).toList());
        MESSAGES.forEach(MessageCount::forget);

        Flux.range(0, CALLS).flatMap(i -> latest.then(), POOL).blockLast(TIMEOUT);

        // On a machine that stands still for a tenth of a second some are cancelled after all.
        assertThat(MESSAGES.stream().mapToLong(MessageCount::roundTrips).sum())
                .isBetween(2L * CALLS, 2L * CALLS + CALLS / 10);
    }

    private static void run(Call call) {
        Flux.range(0, CALLS).flatMap(i -> call.run(router, i), POOL).blockLast(TIMEOUT);
    }

    @Test
    void statementIsPreparedOnceForEachConnection() {
        ShardCluster one = counted(1);
        try {
            ShardOperations shard = router(one).shard(ShardKey.of(2L));
            shard.update(Query.of("select 1")).block(TIMEOUT);
            MESSAGES.forEach(MessageCount::forget);
            for (int i = 0; i < CALLS; i++) {
                shard.queryOne(Query.of(READ, 2L), CostIntegrationTests::number).block(TIMEOUT);
                shard.update(Query.of(WRITE, 2L, 0L)).block(TIMEOUT);
            }

            assertThat(MESSAGES.get(0).count(MessageCount.PARSE)).isEqualTo(2);
            // Each execution of a prepared statement takes a plan of its own, or the generic one.
            assertThat(shard.query(
                                    Query.of("select statement || ' ' || sum(generic_plans + custom_plans) || ' of '"
                                            + " || count(*) from pg_prepared_statements"
                                            + " where statement like '%accounts%'"
                                            + " and statement not like '%pg_prepared_statements%' group by statement"),
                                    row -> row.get(0, String.class))
                            .collectList()
                            .block(TIMEOUT))
                    .containsExactlyInAnyOrder(READ + " " + CALLS + " of 1", WRITE + " " + CALLS + " of 1");
        } finally {
            one.close().block(TIMEOUT);
        }
    }

    /** As compiled without escape analysis. */
    @Test
    void routedReadAllocatesLessThanOneByHand() {
        ShardCluster quiet = TestClusters.over(SHARDS, "cost-tests")
                .pool(PoolSettings.DEFAULTS.withMaxSize(POOL))
                .build();
        ConnectionPool[] pools =
                SHARDS.nodes().stream().map(CostIntegrationTests::pool).toArray(ConnectionPool[]::new);
        try {
            ShardRouter routed = router(quiet);
            LongFunction<Mono<Long>> byRouter =
                    key -> routed.shard(ShardKey.of(key)).queryOne(Query.of(READ, key), CostIntegrationTests::number);
            LongFunction<Mono<Long>> byHand = key -> byHand(pools[(int) key % pools.length], key);
            for (int i = 0; i < WARMUP_ROUNDS; i++) {
                bytesOfARead(byHand);
                bytesOfARead(byRouter);
            }
            List<Long> more = new ArrayList<>();
            for (int i = 0; i < ROUNDS; i++) {
                long hand = bytesOfARead(byHand);
                more.add(bytesOfARead(byRouter) - hand);
            }

            System.out.println("bytes that a routed read allocates beside one by hand: " + more);
            assertThat(more.stream().sorted().toList().get(ROUNDS / 2))
                    .as("bytes that a routed read allocates beside one by hand, median of %s", more)
                    .isNegative();
        } finally {
            for (ConnectionPool pool : pools) {
                pool.disposeLater().block(TIMEOUT);
            }
            quiet.close().block(TIMEOUT);
        }
    }

    private static ConnectionPool pool(ShardNode node) {
        return new ConnectionPool(ConnectionPoolConfiguration.builder(ConnectionFactories.get(node.r2dbcUrl()))
                .initialSize(0)
                .maxSize(POOL)
                .build());
    }

    private static Mono<Long> byHand(ConnectionPool pool, long key) {
        return Mono.usingWhen(
                pool.create(),
                connection -> Flux.from(
                                connection.createStatement(READ).bind(0, key).execute())
                        .concatMap(result -> result.map((row, metadata) -> number(row)))
                        .singleOrEmpty(),
                Connection::close);
    }

    /** Of all threads: what is allocated elsewhere is so on both sides. */
    private static long bytesOfARead(LongFunction<Mono<Long>> read) {
        Map<Long, Long> before = allocated();
        long sum = Flux.range(0, READS)
                .flatMap(i -> read.apply(i % ROWS), POOL)
                .reduce(0L, Long::sum)
                .block(TIMEOUT);
        Map<Long, Long> after = allocated();
        assertThat(sum).isEqualTo(READS * (ROWS - 1L) / 2);
        long bytes = after.entrySet().stream()
                .mapToLong(thread -> thread.getValue() - before.getOrDefault(thread.getKey(), 0L))
                .sum();
        return bytes / READS;
    }

    private static Map<Long, Long> allocated() {
        long[] threads = THREADS.getAllThreadIds();
        long[] bytes = THREADS.getThreadAllocatedBytes(threads);
        Map<Long, Long> allocated = new HashMap<>();
        for (int i = 0; i < threads.length; i++) {
            if (bytes[i] >= 0) {
                allocated.put(threads[i], bytes[i]);
            }
        }
        return allocated;
    }

    private static Long number(Row row) {
        return row.get(0, Long.class);
    }

    private static void forgetStatements(ShardNode node) {
        superuser(
                node,
                statement -> statement.execute("select pg_stat_statements_reset(0, oid, 0) from pg_database"
                        + " where datname = current_database()"));
    }

    /** Returns which statements the servers have run for the owner of the databases, and how often. */
    private static Map<String, Long> statements() {
        Map<String, Long> calls = new TreeMap<>();
        SHARDS.nodes()
                .forEach(node -> superuser(node, statement -> {
                    try (ResultSet result = statement.executeQuery("select query, calls from pg_stat_statements"
                            + " where dbid = (select oid from pg_database where datname = current_database())"
                            + " and userid = '" + node.username() + "'::regrole")) {
                        while (result.next()) {
                            calls.merge(result.getString(1), result.getLong(2), Long::sum);
                        }
                    }
                }));
        return calls;
    }

    /** As the superuser, whose statements are not counted. */
    private static void superuser(ShardNode node, Work work) {
        try (java.sql.Connection connection = node.openSuperuserJdbc();
                Statement statement = connection.createStatement()) {
            work.on(statement);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @FunctionalInterface
    private interface Work {

        void on(Statement statement) throws SQLException;
    }
}
