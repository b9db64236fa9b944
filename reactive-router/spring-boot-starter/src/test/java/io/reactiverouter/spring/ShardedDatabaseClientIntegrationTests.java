package io.reactiverouter.spring;

import static io.reactiverouter.spring.SpringShards.TIMEOUT;
import static io.reactiverouter.spring.SpringShards.await;
import static io.reactiverouter.spring.SpringShards.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.CrossShardTransactionException;
import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.transaction.IllegalTransactionStateException;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.reactive.TransactionalOperator;
import org.springframework.transaction.support.DefaultTransactionDefinition;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;

@NullUnmarked
class ShardedDatabaseClientIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3)
            .initSql("create table ledger (id bigint primary key, tenant_id bigint not null, note text)");

    private static final String APP = "sharded-client-tests";
    private static final ShardKey ON_S0 = ShardKey.of(3);
    private static final ShardKey ALSO_ON_S0 = ShardKey.of(6);
    private static final ShardKey ON_S1 = ShardKey.of(4);
    private static final String COUNT = "select count(*) from ledger";

    private static ConfigurableApplicationContext context;
    private static ShardCluster cluster;
    private static ShardRouter router;
    private static ShardedDatabaseClient database;

    @BeforeAll
    static void start() {
        // Few connections a shard, so that a leak shows soon.
        context = SpringShards.start(
                SHARDS, APP, "--reactive-router.pool.max-size=3", "--reactive-router.pool.acquire-timeout=15s");
        cluster = context.getBean(ShardCluster.class);
        router = context.getBean(ShardRouter.class);
        database = context.getBean(ShardedDatabaseClient.class);
    }

    @AfterAll
    static void stop() {
        context.close();
    }

    @BeforeEach
    void empty() {
        SpringShards.sql(SHARDS, "truncate ledger");
    }

    @AfterEach
    void nothingIsLeftBehind() {
        await("all connections are back in their pools", TIMEOUT, () -> SpringShards.acquired(cluster) == 0);
        await("nothing runs", TIMEOUT, () -> SpringShards.busy(SHARDS, APP) == 0);
    }

    @Test
    void rowsAreWrittenReadChangedAndDeletedOnTheShardOfTheirKeyOnly() {
        for (long tenant = 0; tenant < 30; tenant++) {
            ShardKey key = ShardKey.of(tenant);
            expect(insert(key, tenant), 1L);
            expect(
                    database.forKey(key)
                            .sql("update ledger set note = :note where tenant_id = :tenant")
                            .bind("note", "n" + tenant)
                            .bind("tenant", tenant)
                            .fetch()
                            .rowsUpdated(),
                    1L);
            expect(
                    database.forKey("tenants", key)
                            .sql("select note from ledger where tenant_id = :tenant")
                            .bind("tenant", tenant)
                            .map(row -> row.get("note", String.class))
                            .one(),
                    "n" + tenant);
        }
        for (int shard = 0; shard < 3; shard++) {
            assertThat(SpringShards.number(
                            SHARDS.node(shard), "select count(*) from ledger where tenant_id % 3 = " + shard))
                    .as("rows that belong on s%d", shard)
                    .isEqualTo(10);
        }
        assertThat(numbers(SHARDS, COUNT)).containsExactly(10L, 10L, 10L);

        expect(
                database.forShard(ShardId.of("s1"))
                        .sql("delete from ledger")
                        .fetch()
                        .rowsUpdated(),
                10L);
        assertThat(numbers(SHARDS, COUNT)).containsExactly(10L, 0L, 10L);
    }

    @Test
    void aTransactionCommitsAllOfItsWork() {
        expect(insert(ON_S0, 1).then(insert(ALSO_ON_S0, 2)).as(database.transactional(ON_S0)::transactional), 1L);

        assertThat(numbers(SHARDS, COUNT)).containsExactly(2L, 0L, 0L);
    }

    @Test
    void anErrorRollsBackAllOfIt() {
        StepVerifier.create(insert(ON_S0, 1).then(insert(ON_S0, 1)).as(database.transactional(ON_S0)::transactional))
                .expectError(DataIntegrityViolationException.class)
                .verify(TIMEOUT);

        assertThat(numbers(SHARDS, COUNT)).containsExactly(0L, 0L, 0L);
    }

    @Test
    void aCancelRollsBackAllOfItAndStopsTheStatement() {
        Disposable running = insert(ON_S0, 1)
                .then(database.forKey(ON_S0).sql("select pg_sleep(60)").then())
                .as(database.transactional(ON_S0)::transactional)
                .subscribe();
        await("the statement runs", TIMEOUT, () -> SpringShards.busy(SHARDS, APP) == 1);

        running.dispose();

        await("the statement is stopped", Duration.ofSeconds(3), () -> SpringShards.busy(SHARDS, APP) == 0);
        await("the connection is back", TIMEOUT, () -> SpringShards.acquired(cluster) == 0);
        assertThat(numbers(SHARDS, COUNT)).containsExactly(0L, 0L, 0L);
    }

    @Test
    void rollbackOnlyRollsBack() {
        TransactionalOperator transactions = database.transactional(ON_S0);
        StepVerifier.create(transactions.execute(transaction -> {
                    transaction.setRollbackOnly();
                    return insert(ON_S0, 1);
                }))
                .expectNext(1L)
                .expectComplete()
                .verify(TIMEOUT);

        assertThat(numbers(SHARDS, COUNT)).containsExactly(0L, 0L, 0L);
    }

    @Test
    void aDefinitionIsUsed() {
        DefaultTransactionDefinition readOnly = new DefaultTransactionDefinition();
        readOnly.setReadOnly(true);
        readOnly.setIsolationLevel(TransactionDefinition.ISOLATION_SERIALIZABLE);
        expect(
                database.forKey(ON_S0)
                        .sql("select current_setting('transaction_read_only') || ' '"
                                + " || current_setting('transaction_isolation') as mode")
                        .map(row -> row.get("mode", String.class))
                        .one()
                        .as(database.transactional("tenants", ON_S0, readOnly)::transactional),
                "on serializable");
    }

    @Test
    void anotherShardsClientInsideATransactionIsAnErrorThatNamesBoth() {
        StepVerifier.create(insert(ON_S0, 1).then(insert(ON_S1, 2)).as(database.transactional(ON_S0)::transactional))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(DataAccessResourceFailureException.class)
                        .cause()
                        .satisfies(ShardedDatabaseClientIntegrationTests::namesBoth))
                .verify(TIMEOUT);

        assertThat(numbers(SHARDS, COUNT)).containsExactly(0L, 0L, 0L);
    }

    @Test
    void theRouterWithAnotherKeyInsideATransactionIsAnErrorThatNamesBoth() {
        StepVerifier.create(insert(ON_S0, 1).then(routed(ON_S1, 2)).as(database.transactional(ON_S0)::transactional))
                .expectErrorSatisfies(ShardedDatabaseClientIntegrationTests::namesBoth)
                .verify(TIMEOUT);

        assertThat(numbers(SHARDS, COUNT)).containsExactly(0L, 0L, 0L);
    }

    @Test
    void scatterGatherInsideATransactionIsAnError() {
        StepVerifier.create(insert(ON_S0, 1)
                        .thenMany(router.allShards().query(Query.of("select 1 as one"), row -> row.get("one")))
                        .as(database.transactional(ON_S0)::transactional))
                .expectError(CrossShardTransactionException.class)
                .verify(TIMEOUT);
    }

    @Test
    void anotherShardsTransactionInsideATransactionIsAnErrorWhateverItsPropagation() {
        for (int propagation : List.of(
                TransactionDefinition.PROPAGATION_REQUIRED,
                TransactionDefinition.PROPAGATION_REQUIRES_NEW,
                TransactionDefinition.PROPAGATION_NESTED)) {
            Mono<Long> inner = insert(ON_S1, 2).as(with(ON_S1, propagation)::transactional);
            StepVerifier.create(insert(ON_S0, 1).then(inner).as(database.transactional(ON_S0)::transactional))
                    .expectErrorSatisfies(ShardedDatabaseClientIntegrationTests::namesBoth)
                    .verify(TIMEOUT);
        }
        assertThat(numbers(SHARDS, COUNT)).containsExactly(0L, 0L, 0L);
    }

    @Test
    void theRouterWithAKeyOfTheShardJoins() {
        Mono<Long> work = insert(ON_S0, 1)
                .then(routed(ALSO_ON_S0, 2))
                .then(router.shard(ON_S0)
                        .inTransaction(connection -> Query.of("insert into ledger values ($1, $2)", 3L, 3L)
                                .update(connection)))
                .then(router.shard(ON_S0).queryOne(Query.of(COUNT), row -> row.get(0, Long.class)));

        expect(work.as(database.transactional(ON_S0)::transactional), 3L);
        assertThat(numbers(SHARDS, COUNT)).containsExactly(3L, 0L, 0L);

        StepVerifier.create(routed(ALSO_ON_S0, 4)
                        .then(Mono.error(new IllegalStateException("no")))
                        .as(database.transactional(ON_S0)::transactional))
                .expectErrorMessage("no")
                .verify(TIMEOUT);
        assertThat(numbers(SHARDS, COUNT)).containsExactly(3L, 0L, 0L);
    }

    @Test
    void aTransactionOfTheSameShardInsideJoins() {
        Mono<Long> inner =
                insert(ALSO_ON_S0, 2).then(routed(ON_S0, 3)).as(database.transactional(ALSO_ON_S0)::transactional);
        StepVerifier.create(insert(ON_S0, 1)
                        .then(inner)
                        .then(Mono.error(new IllegalStateException("no")))
                        .as(database.transactional(ON_S0)::transactional))
                .expectErrorMessage("no")
                .verify(TIMEOUT);

        assertThat(numbers(SHARDS, COUNT)).containsExactly(0L, 0L, 0L);
    }

    @Test
    void aNewTransactionInsideIsItsOwn() {
        Mono<Long> inner = insert(ON_S0, 2)
                .then(routed(ON_S0, 3))
                .as(with(ON_S0, TransactionDefinition.PROPAGATION_REQUIRES_NEW)::transactional);
        StepVerifier.create(insert(ON_S0, 1)
                        .then(inner)
                        .then(routed(ON_S0, 4))
                        .then(Mono.error(new IllegalStateException("no")))
                        .as(database.transactional(ON_S0)::transactional))
                .expectErrorMessage("no")
                .verify(TIMEOUT);

        assertThat(numbers(SHARDS, "select coalesce(sum(id), 0) from ledger")).containsExactly(5L, 0L, 0L);
    }

    @Test
    void workOutsideTheTransactionInsideIsItsOwn() {
        Mono<Long> inner = insert(ON_S0, 2)
                .then(routed(ON_S0, 3))
                .as(with(ON_S0, TransactionDefinition.PROPAGATION_NOT_SUPPORTED)::transactional);
        StepVerifier.create(insert(ON_S0, 1)
                        .then(inner)
                        .then(Mono.error(new IllegalStateException("no")))
                        .as(database.transactional(ON_S0)::transactional))
                .expectErrorMessage("no")
                .verify(TIMEOUT);

        assertThat(numbers(SHARDS, "select coalesce(sum(id), 0) from ledger")).containsExactly(5L, 0L, 0L);
    }

    @Test
    void aSavepointInsideRollsBackAlone() {
        Mono<Long> inner = insert(ON_S0, 2)
                .then(insert(ON_S0, 2))
                .as(with(ON_S0, TransactionDefinition.PROPAGATION_NESTED)::transactional)
                .onErrorComplete(DataIntegrityViolationException.class);
        expect(
                insert(ON_S0, 1).then(inner).then(routed(ON_S0, 3)).as(database.transactional(ON_S0)::transactional),
                1L);

        assertThat(numbers(SHARDS, "select sum(id) from ledger").get(0)).isEqualTo(4L);
    }

    @Test
    void supportsWithoutATransactionRunsWithoutOne() {
        expect(
                insert(ON_S0, 1)
                        .then(routed(ON_S1, 2))
                        .as(with(ON_S0, TransactionDefinition.PROPAGATION_SUPPORTS)::transactional),
                1L);
        assertThat(numbers(SHARDS, COUNT)).containsExactly(1L, 1L, 0L);
    }

    @Test
    void clientsJoinATransactionOfTheRouter() {
        expect(router.shard(ON_S0).inTransaction(connection -> insert(ON_S0, 1).then(insert(ALSO_ON_S0, 2))), 1L);
        assertThat(numbers(SHARDS, COUNT)).containsExactly(2L, 0L, 0L);

        StepVerifier.create(router.shard(ON_S0)
                        .inTransaction(
                                connection -> insert(ON_S0, 3).then(Mono.error(new IllegalStateException("no")))))
                .expectErrorMessage("no")
                .verify(TIMEOUT);
        assertThat(numbers(SHARDS, COUNT)).containsExactly(2L, 0L, 0L);

        StepVerifier.create(router.shard(ON_S0).inTransaction(connection -> insert(ON_S1, 3)))
                .expectErrorSatisfies(
                        error -> assertThat(error).cause().satisfies(ShardedDatabaseClientIntegrationTests::namesBoth))
                .verify(TIMEOUT);
    }

    @Test
    void aSpringTransactionInsideATransactionOfTheRouterIsAnError() {
        StepVerifier.create(router.shard(ON_S0)
                        .inTransaction(
                                connection -> insert(ON_S0, 1).as(database.transactional(ALSO_ON_S0)::transactional)))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(IllegalTransactionStateException.class)
                        .hasMessageContaining("s0"))
                .verify(TIMEOUT);
        StepVerifier.create(router.shard(ON_S0)
                        .inTransaction(connection -> insert(ON_S1, 1).as(database.transactional(ON_S1)::transactional)))
                .expectErrorSatisfies(ShardedDatabaseClientIntegrationTests::namesBoth)
                .verify(TIMEOUT);
        assertThat(numbers(SHARDS, COUNT)).containsExactly(0L, 0L, 0L);
    }

    @Test
    void manyConcurrentTransactionsDoNotMix() {
        int transactions = 600;
        Flux<String> outcomes = Flux.range(0, transactions).flatMap(this::transfer, 64);
        StepVerifier.create(outcomes.collectList())
                .assertNext(
                        list -> assertThat(list).hasSize(transactions).allMatch(outcome -> outcome.startsWith("ok")))
                .expectComplete()
                .verify(TIMEOUT);

        for (int shard = 0; shard < 3; shard++) {
            // Every third transaction fails after its first two rows: 400 of 600 stay, with three rows each.
            assertThat(SpringShards.number(SHARDS.node(shard), COUNT))
                    .as("rows on s%d", shard)
                    .isPositive();
            assertThat(SpringShards.number(
                            SHARDS.node(shard), "select count(*) from ledger where tenant_id % 3 <> " + shard))
                    .as("rows on s%d that belong elsewhere", shard)
                    .isZero();
            assertThat(SpringShards.number(
                            SHARDS.node(shard),
                            "select count(*) from (select note from ledger group by note having count(*) <> 3"
                                    + " or count(distinct tenant_id) <> 1) as mixed"))
                    .as("transactions on s%d with other than their three rows", shard)
                    .isZero();
        }
        assertThat(numbers(SHARDS, COUNT).stream().mapToLong(Long::longValue).sum())
                .isEqualTo(400 * 3);
    }

    /** Writes three rows with one note in one transaction, by three ways; every third one fails before the last. */
    private Mono<String> transfer(int number) {
        // Consecutive failing numbers must not all belong to one shard.
        long tenant = number / 3;
        ShardKey key = ShardKey.of(tenant);
        String note = UUID.randomUUID().toString();
        Mono<Long> last = number % 3 == 2
                ? Mono.error(new IllegalStateException("planned"))
                : router.shard(key)
                        .update(Query.of("insert into ledger values ($1, $2, $3)", number * 3L + 2, tenant, note));
        return insert(key, number * 3L, tenant, note)
                .then(insert(key, number * 3L + 1, tenant, note))
                .then(last)
                .as(database.transactional(key)::transactional)
                .map(rows -> "ok")
                .onErrorResume(error -> Mono.just("planned".equals(error.getMessage()) ? "ok, failed" : "" + error));
    }

    private static void namesBoth(Throwable error) {
        assertThat(error)
                .isInstanceOf(CrossShardTransactionException.class)
                .hasMessageContaining("s0")
                .hasMessageContaining("s1");
    }

    private static <T> void expect(Mono<T> work, T value) {
        StepVerifier.create(work).expectNext(value).expectComplete().verify(TIMEOUT);
    }

    private static TransactionalOperator with(ShardKey key, int propagation) {
        return database.transactional(key, new DefaultTransactionDefinition(propagation));
    }

    private static Mono<Long> insert(ShardKey key, long id) {
        return insert(key, id, ((ShardKey.OfLong) key).value(), "");
    }

    private static Mono<Long> insert(ShardKey key, long id, long tenant, String note) {
        return database.forKey(key)
                .sql("insert into ledger values (:id, :tenant, :note)")
                .bind("id", id)
                .bind("tenant", tenant)
                .bind("note", note)
                .fetch()
                .rowsUpdated();
    }

    private static Mono<Long> routed(ShardKey key, long id) {
        return router.shard(key).update(Query.of("insert into ledger values ($1, $2)", id, key.parameter()));
    }
}
