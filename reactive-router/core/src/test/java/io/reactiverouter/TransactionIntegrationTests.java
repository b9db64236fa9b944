package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.await;
import static io.reactiverouter.TestClusters.awaitQuiet;
import static io.reactiverouter.TestClusters.busy;
import static io.reactiverouter.TestClusters.number;
import static org.assertj.core.api.Assertions.assertThat;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.Result;
import io.reactiverouter.connection.CallTimeoutException;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.test.ShardsExtension;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.reactivestreams.Publisher;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;

@NullUnmarked
class TransactionIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(2);

    private static final String APP = "transaction-tests";
    private static final ShardKey ON_S0 = ShardKey.of(2);
    private static final ShardKey ALSO_ON_S0 = ShardKey.of(4);
    private static final ShardKey ON_S1 = ShardKey.of(7);

    private static ShardCluster cluster;
    private static ShardRouter router;

    @BeforeAll
    static void open() {
        TestClusters.sql(SHARDS, "create table ledger (id bigint primary key, tenant_id bigint not null)");
        // One connection a shard: a call inside a transaction that took a second one would wait in vain.
        cluster = TestClusters.over(SHARDS, APP)
                .pool(PoolSettings.DEFAULTS.withMaxSize(1).withAcquireTimeout(Duration.ofSeconds(10)))
                .build();
        router = cluster.router(Keyspace.named("tenants").key("tenant_id").strategy(ShardingStrategy.modulo()));
        // The limits of tests are for what they test.
        cluster.warmup().block(TIMEOUT);
    }

    @BeforeEach
    void empty() {
        TestClusters.sql(SHARDS, "truncate ledger");
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
    void completionCommits() {
        StepVerifier.create(router.shard(ON_S0)
                        .inTransaction(connection ->
                                insert(1).update(connection).then(insert(2).update(connection))))
                .expectNext(1L)
                .expectComplete()
                .verify(TIMEOUT);
        assertThat(rows(0)).isEqualTo(2);
    }

    @Test
    void resultComesAfterTheCommit() {
        Mono<Long> seen = router.shard(ON_S0)
                .inTransaction(connection -> insert(1).update(connection))
                .publishOn(Schedulers.boundedElastic())
                .map(written -> rows(0));

        StepVerifier.create(seen).expectNext(1L).expectComplete().verify(TIMEOUT);
    }

    @Test
    void errorRollsBack() {
        StepVerifier.create(router.shard(ON_S0)
                        .inTransaction(connection ->
                                insert(1).update(connection).then(Mono.error(new IllegalStateException("business")))))
                .expectErrorMessage("business")
                .verify(TIMEOUT);
        assertThat(rows(0)).isZero();
    }

    @Test
    void errorOfTheDatabaseRollsBackAndTheConnectionServesOn() {
        StepVerifier.create(router.shard(ON_S0)
                        .inTransaction(connection ->
                                insert(1).update(connection).then(insert(1).update(connection))))
                .expectErrorSatisfies(error ->
                        assertThat(((R2dbcException) error).getSqlState()).isEqualTo("23505"))
                .verify(TIMEOUT);
        StepVerifier.create(router.shard(ON_S0).update(insert(3)))
                .expectNext(1L)
                .expectComplete()
                .verify(TIMEOUT);
        assertThat(rows(0)).isEqualTo(1);
    }

    @Test
    void errorThatTheWorkThrowsRollsBack() {
        StepVerifier.create(router.shard(ON_S0).inTransaction(connection -> {
                    throw new IllegalArgumentException("thrown");
                }))
                .expectErrorMessage("thrown")
                .verify(TIMEOUT);
    }

    @Test
    void cancelInTheMiddleOfAStatementRollsBackAndStopsIt() {
        Disposable running = router.shard(ON_S0)
                .inTransaction(connection -> insert(1)
                        .update(connection)
                        .then(Query.of("select pg_sleep(15)").update(connection)))
                .subscribe();
        await("the statement runs", TIMEOUT, () -> busy(SHARDS.node(0), APP) == 1);

        running.dispose();

        await("it has stopped", Duration.ofSeconds(2), () -> busy(SHARDS.node(0), APP) == 0);
        assertThat(rows(0)).isZero();
        StepVerifier.create(router.shard(ON_S0).update(insert(2)))
                .expectNext(1L)
                .expectComplete()
                .verify(TIMEOUT);
    }

    @Test
    void cancelBetweenStatementsRollsBack() {
        Disposable running = router.shard(ON_S0)
                .inTransaction(connection -> insert(1).update(connection).then(Mono.never()))
                .subscribe();
        await("the transaction is open", TIMEOUT, () -> busy(SHARDS.node(0), APP) == 1);

        running.dispose();

        await("it is gone", Duration.ofSeconds(2), () -> busy(SHARDS.node(0), APP) == 0);
        assertThat(rows(0)).isZero();
    }

    @Test
    void timeLimitRollsBack() {
        StepVerifier.create(router.shard(ON_S0)
                        .timeout(Duration.ofMillis(150))
                        .inTransaction(connection -> insert(1)
                                .update(connection)
                                .then(Query.of("select pg_sleep(15)").update(connection))))
                .expectError(CallTimeoutException.class)
                .verify(TIMEOUT);
        awaitQuiet(cluster, SHARDS, APP);
        assertThat(rows(0)).isZero();
    }

    /** The statement that was given up still runs, and a commit would make it happen after all. */
    @Test
    void timeLimitOfACallInsideIsNeverCommitted() {
        Mono<Long> gaveUp = router.shard(ON_S0)
                .timeout(Duration.ofMillis(150))
                .update(Query.of("insert into ledger select 2, 2 from pg_sleep(0.6)"))
                .onErrorReturn(0L);

        StepVerifier.create(router.shard(ON_S0)
                        .inTransaction(
                                connection -> insert(1).update(connection).then(gaveUp)))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(CallTimeoutException.class)
                        .hasMessageContaining("PT0.15S")
                        .hasMessageContaining("rolled back"))
                .verify(TIMEOUT);
        awaitQuiet(cluster, SHARDS, APP);
        assertThat(rows(0)).isZero();
    }

    @Test
    void timeLimitInATransactionOfSomebodyElseSaysThatItMustBeRolledBack() {
        Mono<Long> joined = Mono.usingWhen(
                router.shard(ON_S0).connection(),
                connection -> router.shard(ON_S0)
                        .timeout(Duration.ofMillis(100))
                        .update(Query.of("select pg_sleep(15)"))
                        .contextWrite(
                                cluster.inTransactionOf(router.route(ON_S0).shard(), Mono.just(connection))),
                Connection::close);

        StepVerifier.create(joined)
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(CallTimeoutException.class)
                        .hasMessageContaining("must be rolled back"))
                .verify(TIMEOUT);
    }

    /** The driver takes a commit without an open transaction for done. */
    @Test
    void transactionThatTheWorkHasEndedIsNotReportedAsCommitted() {
        StepVerifier.create(router.shard(ON_S0)
                        .inTransaction(connection ->
                                insert(1).update(connection).delayUntil(written -> connection.rollbackTransaction())))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("shard s0")
                        .hasMessageContaining("no longer open"))
                .verify(TIMEOUT);
        assertThat(rows(0)).isZero();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("ends")
    void endOfATransactionThatTheWorkDoesNotWaitForIsSeen(
            String name, Function<Connection, ? extends Publisher<Long>> work) {
        StepVerifier.create(router.shard(ON_S0).inTransaction(work))
                .expectErrorSatisfies(error -> assertThat(error).hasMessageContaining("no longer open"))
                .verify(TIMEOUT);
    }

    static Stream<Arguments> ends() {
        return Stream.of(
                ends(
                        "rollback",
                        connection -> insert(1)
                                .update(connection)
                                .doOnNext(written -> Mono.from(connection.rollbackTransaction())
                                        .subscribe())),
                ends(
                        "commit",
                        connection -> insert(1)
                                .update(connection)
                                .doOnNext(written -> Mono.from(connection.commitTransaction())
                                        .subscribe())),
                ends(
                        "auto-commit",
                        connection -> insert(1)
                                .update(connection)
                                .doOnNext(written -> Mono.from(connection.setAutoCommit(true))
                                        .subscribe())),
                ends(
                        "statement",
                        connection -> insert(1)
                                .update(connection)
                                .doOnNext(written -> Flux.from(connection
                                                .createStatement("rollback")
                                                .execute())
                                        .flatMap(Result::getRowsUpdated)
                                        .subscribe())),
                ends(
                        "cleanup",
                        connection -> Flux.usingWhen(
                                        Mono.just(connection),
                                        same -> insert(1).update(same).concatWith(Mono.never()),
                                        same -> Mono.empty(),
                                        (same, error) -> Mono.empty(),
                                        Connection::rollbackTransaction)
                                .next()));
    }

    private static Arguments ends(String name, Function<Connection, ? extends Publisher<Long>> work) {
        return Arguments.of(name, work);
    }

    /** The server waits for a standby that does not exist, having committed. */
    @Test
    void timeLimitDuringACommitSaysThatItsOutcomeIsNotKnown() throws SQLException {
        standby("'nobody'");
        try {
            StepVerifier.create(router.shard(ON_S0)
                            .timeout(Duration.ofMillis(300))
                            .inTransaction(connection -> insert(1).update(connection)))
                    .expectErrorSatisfies(error -> assertThat(error)
                            .isInstanceOfSatisfying(
                                    CallTimeoutException.class,
                                    late -> assertThat(late.consequence())
                                            .isEqualTo(CallTimeoutException.Consequence.COMMIT_UNKNOWN))
                            .hasMessageContaining("not known"))
                    .verify(TIMEOUT);
            awaitQuiet(cluster, SHARDS, APP);
        } finally {
            standby("default");
        }
        assertThat(rows(0)).isEqualTo(1);
    }

    @Test
    void timeLimitOfACallThatTheWorkDoesNotWaitForIsTrueOfTheTransaction() {
        Sinks.One<Throwable> late = Sinks.one();
        Mono<Long> slow = router.shard(ON_S0)
                .timeout(Duration.ofMillis(150))
                .update(Query.of("insert into ledger select $1, 2 from pg_sleep(0.6)", 2));

        StepVerifier.create(insertAndDoNotWaitFor(slow, late))
                .expectNext(1L)
                .expectComplete()
                .verify(TIMEOUT);
        assertThat(late.asMono().block(TIMEOUT))
                .isInstanceOfSatisfying(
                        CallTimeoutException.class,
                        error -> assertThat(error.consequence())
                                .isEqualTo(CallTimeoutException.Consequence.COMMIT_UNKNOWN));
        assertThat(rows(0)).isEqualTo(2);
    }

    /** The commit waits for a statement without parameters, and the limit for that comes first. */
    @Test
    void timeLimitBeforeTheCommitIsSentKeepsItBack() {
        Sinks.One<Throwable> late = Sinks.one();
        Mono<Long> slow = router.shard(ON_S0)
                .timeout(Duration.ofMillis(150))
                .update(Query.of("insert into ledger select 2, 2 from pg_sleep(0.6)"));

        StepVerifier.create(insertAndDoNotWaitFor(slow, late))
                .expectError(CallTimeoutException.class)
                .verify(TIMEOUT);
        assertThat(late.asMono().block(TIMEOUT))
                .isInstanceOfSatisfying(
                        CallTimeoutException.class,
                        error -> assertThat(error.consequence())
                                .isEqualTo(CallTimeoutException.Consequence.ROLLED_BACK));
        awaitQuiet(cluster, SHARDS, APP);
        assertThat(rows(0)).isZero();
    }

    private Mono<Long> insertAndDoNotWaitFor(Mono<Long> slow, Sinks.One<Throwable> late) {
        return router.shard(ON_S0)
                .inTransaction(connection -> insert(1)
                        .update(connection)
                        .transformDeferredContextual((written, context) -> written.doOnNext(
                                one -> slow.contextWrite(context).subscribe(none -> {}, late::tryEmitValue))));
    }

    private static void standby(String names) throws SQLException {
        try (java.sql.Connection superuser = SHARDS.node(0).openSuperuserJdbc();
                java.sql.Statement statement = superuser.createStatement()) {
            statement.execute("alter system set synchronous_standby_names = " + names);
            statement.execute("select pg_reload_conf()");
        }
        boolean held = !names.equals("default");
        await("the server takes it up", TIMEOUT, () -> commitsAreHeld() == held);
    }

    /** Says whether a commit waits for a standby; a cancel ends the wait, and the commit is there. */
    private static boolean commitsAreHeld() {
        try (java.sql.Connection owner = SHARDS.node(0).openJdbc();
                java.sql.Statement statement = owner.createStatement()) {
            statement.setQueryTimeout(1);
            long start = System.nanoTime();
            statement.execute("comment on table ledger is 'a commit'");
            return System.nanoTime() - start > Duration.ofMillis(700).toNanos();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void optionsReachTheServer() {
        TransactionOptions options = TransactionOptions.DEFAULTS
                .withIsolation(IsolationLevel.SERIALIZABLE)
                .withReadOnly(true);
        StepVerifier.create(router.shard(ON_S0)
                        .inTransaction(
                                options,
                                connection -> Query.of(
                                                "select current_setting('transaction_isolation') || current_setting('transaction_read_only')")
                                        .fetch(connection, row -> row.get(0, String.class))
                                        .single()))
                .expectNext("serializableon")
                .expectComplete()
                .verify(TIMEOUT);
        StepVerifier.create(router.shard(ON_S0)
                        .inTransaction(options, connection -> insert(1).update(connection)))
                .expectErrorSatisfies(error ->
                        assertThat(((R2dbcException) error).getSqlState()).isEqualTo("25006"))
                .verify(TIMEOUT);
        StepVerifier.create(router.shard(ON_S0)
                        .queryOne(Query.of("show transaction_isolation"), row -> row.get(0, String.class)))
                .expectNext("read committed")
                .expectComplete()
                .verify(TIMEOUT);
    }

    @Test
    void manyResultsAreCommittedWhenTheyComplete() {
        StepVerifier.create(router.shard(ON_S0)
                        .inTransactionMany(
                                TransactionOptions.DEFAULTS,
                                connection -> Flux.range(1, 5)
                                        .concatMap(id -> insert(id).update(connection))))
                .expectNextCount(5)
                .expectComplete()
                .verify(TIMEOUT);
        assertThat(rows(0)).isEqualTo(5);
    }

    @Test
    void callsToTheSameShardJoin() {
        Mono<Long> joined = router.shard(ON_S0)
                .inTransaction(connection -> router.shard(ALSO_ON_S0)
                        .update(insert(1))
                        .then(router.shard(ON_S0)
                                .inTransaction(inner -> insert(2).update(inner)))
                        .then(router.shard(ON_S0)
                                .batch("insert into ledger values ($1, 2)", List.of(new Object[] {3L}, new Object[] {4L
                                })))
                        .then(Mono.usingWhen(
                                router.shard(ON_S0).connection(),
                                borrowed -> insert(5).update(borrowed),
                                Connection::close))
                        .then(router.shard(ON_S0)
                                .queryOne(Query.of("select count(*) from ledger"), row -> row.get(0, Long.class)))
                        .publishOn(Schedulers.boundedElastic())
                        .doOnNext(inside -> assertThat(rows(0)).isZero())
                        .flatMap(inside -> Mono.error(new IllegalStateException("saw " + inside))));

        StepVerifier.create(joined).expectErrorMessage("saw 5").verify(TIMEOUT);
        assertThat(rows(0)).as("all joined, so all rolled back").isZero();
    }

    @Test
    void anotherShardInsideIsAnErrorThatNamesBoth() {
        Mono<Long> crossing = router.shard(ON_S0)
                .inTransaction(connection ->
                        insert(1).update(connection).then(router.shard(ON_S1).update(insert(2))));

        StepVerifier.create(crossing)
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(CrossShardTransactionException.class)
                        .hasMessageContaining("shard s0")
                        .hasMessageContaining("shard s1"))
                .verify(TIMEOUT);
        assertThat(rows(0)).isZero();
        assertThat(rows(1)).isZero();

        for (Mono<?> inside : List.of(
                router.shard(ON_S1).connection(),
                Mono.from(router.shard(ON_S1).connectionFactory().create()),
                router.shard(ON_S1).inTransaction(connection -> insert(2).update(connection)),
                router.shard(ON_S1).withConnection(connection -> insert(2).update(connection)),
                router.allShards().query(Query.of("select 1"), row -> 1).then(),
                router.shards(List.of(ON_S0))
                        .query(Query.of("select 1"), row -> 1)
                        .then(),
                cluster.allShards().execute("truncate ledger"))) {
            StepVerifier.create(router.shard(ON_S0).inTransaction(connection -> inside.then(Mono.just(1))))
                    .expectError(CrossShardTransactionException.class)
                    .verify(TIMEOUT);
        }
    }

    @Test
    void anotherShardAfterwardsIsFine() {
        StepVerifier.create(router.shard(ON_S0)
                        .inTransaction(connection -> insert(1).update(connection))
                        .then(router.shard(ON_S1)
                                .inTransaction(connection -> insert(2).update(connection))))
                .expectNext(1L)
                .expectComplete()
                .verify(TIMEOUT);
        assertThat(rows(0)).isEqualTo(1);
        assertThat(rows(1)).isEqualTo(1);
    }

    private static Query insert(long id) {
        return Query.of("insert into ledger values ($1, 2)", id);
    }

    private static long rows(int shard) {
        return number(SHARDS.node(shard), "select count(*) from ledger");
    }
}
