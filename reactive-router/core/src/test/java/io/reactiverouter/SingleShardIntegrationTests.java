package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.await;
import static io.reactiverouter.TestClusters.awaitQuiet;
import static io.reactiverouter.TestClusters.busy;
import static io.reactiverouter.TestClusters.number;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.R2dbcBadGrammarException;
import io.r2dbc.spi.R2dbcDataIntegrityViolationException;
import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.connection.CallTimeoutException;
import io.reactiverouter.connection.NodeFailure;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.strategy.UnroutableKeyException;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;

@NullUnmarked
class SingleShardIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3);

    private static final String APP = "single-shard-tests";
    private static final ShardKey KEY = ShardKey.of(42);

    private static ShardCluster cluster;
    private static ShardRouter router;

    @BeforeAll
    static void open() {
        TestClusters.sql(
                SHARDS, "create table orders (order_id bigint primary key, user_id bigint not null, note text)");
        cluster = TestClusters.over(SHARDS, APP).build();
        router = cluster.router(Keyspace.named("trading").key("user_id").tables("orders"));
        // The limits of tests are for what they test.
        cluster.warmup().block(TIMEOUT);
    }

    @BeforeEach
    void empty() {
        TestClusters.sql(SHARDS, "truncate orders");
    }

    @AfterEach
    void nothingIsLeftBehind() {
        awaitQuiet(cluster, SHARDS, APP);
    }

    @AfterAll
    static void close() {
        cluster.close().block(TIMEOUT);
    }

    @Test
    void rowIsOnTheShardOfItsKeyAndOnNoOther() {
        for (long user = 0; user < 200; user++) {
            Query insert = Query.of("insert into orders values ($1, $1, $2)", user, "note");
            StepVerifier.create(router.shard(ShardKey.of(user)).update(insert))
                    .expectNext(1L)
                    .expectComplete()
                    .verify(TIMEOUT);
        }
        long total = 0;
        for (ShardNode node : SHARDS.nodes()) {
            total += number(node, "select count(*) from orders");
        }
        assertThat(total).isEqualTo(200);
        for (long user = 0; user < 200; user++) {
            ShardNode home = node(router.route(ShardKey.of(user)).shard());
            assertThat(number(home, "select count(*) from orders where user_id = " + user))
                    .as("user %s on %s", user, home.name())
                    .isEqualTo(1);
        }
    }

    @Test
    void rowsAreMappedAndNullsPass() {
        StepVerifier.create(router.shard(KEY)
                        .update(Query.of("insert into orders values ($1, $2, $3)", 1L, 42L, null))
                        .thenMany(router.shard(KEY)
                                .query(
                                        Query.of("select note from orders where user_id = $1", 42L),
                                        row -> Optional.ofNullable(row.get(0, String.class)))))
                .expectNext(Optional.empty())
                .expectComplete()
                .verify(TIMEOUT);
    }

    @Test
    void queryOneGivesNoneOrOneAndRefusesTwo() {
        Query series = Query.of("select n from generate_series(1, $1) n", 1);
        StepVerifier.create(router.shard(KEY).queryOne(series, row -> row.get(0, Integer.class)))
                .expectNext(1)
                .expectComplete()
                .verify(TIMEOUT);
        StepVerifier.create(
                        router.shard(KEY).queryOne(Query.of("select 1 where false"), row -> row.get(0, Integer.class)))
                .expectComplete()
                .verify(TIMEOUT);
        StepVerifier.create(router.shard(KEY)
                        .queryOne(Query.of("select generate_series(1, 2)"), row -> row.get(0, Integer.class)))
                .expectError(IndexOutOfBoundsException.class)
                .verify(TIMEOUT);
    }

    @Test
    void mapperThatReturnsNullIsExplained() {
        StepVerifier.create(router.shard(KEY).query(Query.of("select null"), row -> row.get(0)))
                .expectErrorSatisfies(error -> assertThat(error).hasMessageContaining("row mapper returned null"))
                .verify(TIMEOUT);
    }

    @Test
    void batchIsAllOrNothing() {
        List<Object[]> rows = List.of(new Object[] {1L, 42L, "a"}, new Object[] {2L, 42L, null});
        StepVerifier.create(router.shard(KEY).batch("insert into orders values ($1, $2, $3)", rows))
                .expectNext(2L)
                .expectComplete()
                .verify(TIMEOUT);

        List<Object[]> clash = List.of(new Object[] {3L, 42L, "c"}, new Object[] {1L, 42L, "again"});
        StepVerifier.create(router.shard(KEY).batch("insert into orders values ($1, $2, $3)", clash))
                .expectError(R2dbcDataIntegrityViolationException.class)
                .verify(TIMEOUT);
        assertThat(number(home(), "select count(*) from orders")).isEqualTo(2);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> router.shard(KEY).batch("insert into orders values ($1)", List.of()))
                .withMessageContaining("at least one row");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> router.shard(KEY)
                        .batch("insert into orders values (9, 42, 'x')", List.of(new Object[0], new Object[0])))
                .withMessageContaining("one row has none");
    }

    @Test
    void databaseErrorKeepsItsTypeAndStateAndNamesTheNode() {
        ShardId shard = router.route(KEY).shard();
        StepVerifier.create(router.shard(KEY).update(Query.of("insert into no_such_table values ($1)", 1)))
                .expectErrorSatisfies(error -> {
                    assertThat(error).isInstanceOf(R2dbcBadGrammarException.class);
                    assertThat(((R2dbcException) error).getSqlState()).isEqualTo("42P01");
                    assertThat(NodeFailure.of(error))
                            .hasValueSatisfying(failure ->
                                    assertThat(failure.node().shard()).isEqualTo(shard));
                })
                .verify(TIMEOUT);
    }

    @Test
    void keysThatCannotBePlacedAreErrorsAndNothingRuns() {
        ShardRouter modulo =
                cluster.router(Keyspace.named("tenants").key("tenant_id").strategy(ShardingStrategy.modulo()));

        StepVerifier.create(modulo.shard(ShardKey.of("seven")).update(Query.of("truncate orders")))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(UnroutableKeyException.class)
                        .hasMessageContaining("\"seven\""))
                .verify(TIMEOUT);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> modulo.shard(null))
                .withMessageContaining("null");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> cluster.shard(ShardId.of("s9")))
                .withMessageContaining("s9")
                .withMessageContaining("[s0, s1, s2]");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> modulo.shard(KEY).timeout(Duration.ZERO))
                .withMessageContaining("timeout must be positive");
    }

    @Test
    void nothingIsRoutedBeforeSubscription() {
        Mono<Long> never = router.shard(KEY).update(Query.of("insert into orders values (1, 42, 'x')"));

        assertThat(number(home(), "select count(*) from orders")).isZero();
        StepVerifier.create(never.then(never))
                .expectError(R2dbcDataIntegrityViolationException.class)
                .verify(TIMEOUT);
        assertThat(number(home(), "select count(*) from orders")).isEqualTo(1);
    }

    @Test
    void timeLimitStopsTheStatementOnTheServer() {
        long before = System.nanoTime();
        StepVerifier.create(router.shard(KEY)
                        .timeout(Duration.ofMillis(200))
                        .queryOne(Query.of("select pg_sleep(15)"), row -> 1))
                .expectError(CallTimeoutException.class)
                .verify(TIMEOUT);
        assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(5));
        await("the statement has stopped", Duration.ofSeconds(2), () -> busy(home(), APP) == 0);
    }

    @Test
    void cancelStopsTheStatementOnTheServer() {
        Disposable running = router.shard(KEY)
                .queryOne(Query.of("select pg_sleep(15)"), row -> 1)
                .subscribe();
        await("the statement runs", TIMEOUT, () -> busy(home(), APP) == 1);

        running.dispose();

        await("the statement has stopped", Duration.ofSeconds(2), () -> busy(home(), APP) == 0);
        await("the connection is back", Duration.ofSeconds(2), () -> TestClusters.acquired(cluster) == 0);
    }

    @Test
    void connectionOfACancelledCallStaysOutUntilTheServerHasAnswered() {
        ShardCluster small = TestClusters.over(SHARDS, "one-connection")
                .pool(PoolSettings.DEFAULTS.withMaxSize(1))
                .build();
        try {
            ShardOperations shard = small.shard(router.route(KEY).shard());
            for (int i = 0; i < 20; i++) {
                int value = i;
                shard.queryOne(Query.of("select pg_sleep(10)"), row -> 1)
                        .timeout(Duration.ofMillis(60), Mono.just(0))
                        .block(TIMEOUT);
                StepVerifier.create(shard.queryOne(Query.of("select $1::int", value), row -> row.get(0, Integer.class)))
                        .expectNext(value)
                        .expectComplete()
                        .verify(TIMEOUT);
            }
        } finally {
            small.close().block(TIMEOUT);
        }
    }

    @Test
    void subscriberThatTakesAFewRowsOfManyLeavesNothingRunning() {
        StepVerifier.create(router.shard(KEY)
                        .query(Query.of("select n from generate_series(1, 10000000) n"), row -> row.get(0, Long.class))
                        .take(10))
                .expectNextCount(10)
                .expectComplete()
                .verify(TIMEOUT);
    }

    @Test
    void demandReachesTheCursor() {
        TestClusters.sql(SHARDS, "create sequence if not exists demand");
        StepVerifier.create(
                        router.shard(KEY)
                                .query(
                                        Query.of(
                                                        "select nextval('demand') from generate_series(1, 1000000) n where n > $1",
                                                        0)
                                                .fetchSize(100),
                                        row -> row.get(0, Long.class)),
                        10)
                .expectNextCount(10)
                .thenAwait(Duration.ofMillis(300))
                .then(() -> assertThat(number(home(), "select last_value from demand"))
                        .as("rows that the server has made")
                        .isBetween(10L, 100L))
                .thenCancel()
                .verify(TIMEOUT);
    }

    @Test
    void borrowedConnectionGoesBackCleanWhateverWasDoneWithIt() {
        Mono<Integer> abandoned = router.shard(KEY)
                .connection()
                .flatMap(connection -> Mono.from(connection.beginTransaction())
                        .thenMany(Flux.from(connection
                                .createStatement("insert into orders values (1, 42, 'open')")
                                .execute()))
                        .flatMap(result -> result.getRowsUpdated())
                        .then(Mono.from(connection.close()))
                        .then(Mono.from(connection.close()))
                        .thenReturn(1));

        StepVerifier.create(abandoned).expectNext(1).expectComplete().verify(TIMEOUT);

        assertThat(number(home(), "select count(*) from orders")).isZero();
        awaitQuiet(cluster, SHARDS, APP);
    }

    @Test
    void rawBeginInAScopedConnectionIsRolledBack() {
        StepVerifier.create(router.shard(KEY)
                        .withConnectionMany(connection -> Flux.from(connection
                                        .createStatement("begin; insert into orders values (1, 42, 'open')")
                                        .execute())
                                .flatMap(result -> result.getRowsUpdated())))
                .thenConsumeWhile(count -> true)
                .expectComplete()
                .verify(TIMEOUT);

        assertThat(number(home(), "select count(*) from orders")).isZero();
    }

    @Test
    void connectionIsUselessAfterItsScope() {
        Connection escaped = router.shard(KEY)
                .withConnection(Mono::just)
                .cast(Connection.class)
                .block(TIMEOUT);

        StepVerifier.create(Flux.defer(
                        () -> Flux.from(escaped.createStatement("select 1").execute())))
                .expectError(IllegalStateException.class)
                .verify(TIMEOUT);
    }

    @Test
    void closingAScopedConnectionDoesNotGiveItBackTwice() {
        StepVerifier.create(router.shard(KEY)
                        .withConnection(connection -> Mono.from(connection.close())
                                .then(Query.of("select 7")
                                        .fetch(connection, row -> row.get(0, Integer.class))
                                        .single())))
                .expectNext(7)
                .expectComplete()
                .verify(TIMEOUT);
    }

    @Test
    void factoryFindsTheShardWithEachConnection() {
        ConnectionFactory factory = router.shard(KEY).connectionFactory();
        assertThat(factory.getMetadata().getName()).isEqualTo("PostgreSQL");

        Mono<String> database = Mono.usingWhen(
                factory.create(),
                connection -> Query.of("select current_setting('port')")
                        .fetch(connection, row -> row.get(0, String.class))
                        .single(),
                Connection::close);
        StepVerifier.create(database)
                .expectNext(Integer.toString(home().port()))
                .expectComplete()
                .verify(TIMEOUT);
    }

    private static ShardNode home() {
        return node(router.route(KEY).shard());
    }

    private static ShardNode node(ShardId shard) {
        return SHARDS.nodes().stream()
                .filter(node -> node.name().equals(shard.value()))
                .findFirst()
                .orElseThrow();
    }
}
