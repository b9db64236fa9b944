package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.await;
import static io.reactiverouter.TestClusters.awaitQuiet;
import static io.reactiverouter.TestClusters.busy;
import static io.reactiverouter.TestClusters.number;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.aggregate.Aggregation;
import io.reactiverouter.connection.CallTimeoutException;
import io.reactiverouter.connection.ConnectionSettings;
import io.reactiverouter.connection.NodeFailure;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.order.SortKey;
import io.reactiverouter.scatter.FailurePolicy;
import io.reactiverouter.scatter.Gathered;
import io.reactiverouter.scatter.ScatterFailure;
import io.reactiverouter.scatter.ScatterManifest;
import io.reactiverouter.scatter.ShardOutcome;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.test.StepVerifier;

@NullUnmarked
class ScatterIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3);

    private static final String APP = "scatter-tests";

    /** Sleeps on the second shard only. */
    private static final Query SLOW_ON_S1 =
            Query.of("select tenant_id from rows_ where tenant_id % 3 <> 1 or pg_sleep(15) is not null");

    private static ShardCluster cluster;
    private static ShardRouter router;

    @BeforeAll
    static void open() {
        TestClusters.sql(SHARDS, "create table rows_ (tenant_id bigint primary key)");
        for (int i = 0; i < 3; i++) {
            TestClusters.sql(SHARDS.node(i), "insert into rows_ select n from generate_series(" + i + ", 2999, 3) n");
        }
        TestClusters.sql(SHARDS, "create sequence sent");
        cluster = TestClusters.over(SHARDS, APP).build();
        router = cluster.router(tenants());
        // The limits of tests are for what they test.
        cluster.warmup().block(TIMEOUT);
    }

    private static Keyspace tenants() {
        return Keyspace.named("tenants").key("tenant_id").strategy(ShardingStrategy.modulo());
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
    void everyRowOfEveryShardComesOnce() {
        List<Long> rows = router.allShards()
                .query(Query.of("select tenant_id from rows_"), row -> row.get(0, Long.class))
                .collectList()
                .block(TIMEOUT);

        assertThat(rows)
                .containsExactlyInAnyOrderElementsOf(
                        LongStream.range(0, 3_000).boxed().toList());
    }

    @Test
    void gatheredRowsCarryTheirShardAndTheManifestComesLast() {
        List<Gathered<Long>> all = router.allShards()
                .gather(Query.of("select tenant_id from rows_ where tenant_id < 30"), row -> row.get(0, Long.class))
                .collectList()
                .block(TIMEOUT);

        assertThat(all).hasSize(31);
        for (Gathered<Long> element : all.subList(0, 30)) {
            Gathered.Row<Long> row = (Gathered.Row<Long>) element;
            assertThat(row.shard())
                    .isEqualTo(router.route(ShardKey.of(row.value())).shard());
        }
        ScatterManifest manifest = ((Gathered.Manifest<Long>) all.get(30)).manifest();
        assertThat(manifest.isComplete()).isTrue();
        assertThat(manifest.rows()).isEqualTo(30);
        assertThat(manifest.outcomes()).hasSize(3).allSatisfy(outcome -> {
            assertThat(outcome).isInstanceOf(ShardOutcome.Complete.class);
            assertThat(outcome.rows()).isEqualTo(10);
            assertThat(outcome.elapsed()).isPositive();
        });
    }

    @Test
    void onlyTheShardsOfTheKeysAreAsked() {
        Set<ShardId> asked = new HashSet<>();
        router.shards(List.of(ShardKey.of(0), ShardKey.of(3), ShardKey.of(2), ShardKey.of(0)))
                .gather(Query.of("select 1"), row -> 1)
                .doOnNext(element -> {
                    if (element instanceof Gathered.Row<Integer> row) {
                        assertThat(asked.add(row.shard()))
                                .as("asked once: %s", row.shard())
                                .isTrue();
                    }
                })
                .blockLast(TIMEOUT);

        assertThat(asked).containsExactlyInAnyOrder(ShardId.of("s0"), ShardId.of("s2"));
    }

    @Test
    void slowShardIsLeftOutAndNamed() {
        // Opening connections is not what the limit is about here.
        router.allShards().query(Query.of("select 1"), row -> 1).blockLast(Duration.ofSeconds(20));
        List<Gathered<Long>> all = router.allShards()
                .onFailure(FailurePolicy.BEST_EFFORT)
                .shardTimeout(Duration.ofSeconds(1))
                .gather(SLOW_ON_S1, row -> row.get(0, Long.class))
                .collectList()
                .block(Duration.ofSeconds(5));

        ScatterManifest manifest = manifest(all);
        assertThat(all).hasSize(2_001);
        assertThat(manifest.isComplete()).isFalse();
        assertThat(manifest.missing()).containsExactly(ShardId.of("s1"));
        assertThat(manifest.outcomes().get(1)).isInstanceOf(ShardOutcome.TimedOut.class);
        await("it runs no longer", Duration.ofSeconds(2), () -> busy(SHARDS.node(1), APP) == 0);
    }

    @Test
    void slowShardEndsAFailFastCallAndStopsTheOthers() {
        StepVerifier.create(router.allShards()
                        .shardTimeout(Duration.ofMillis(300))
                        .query(Query.of("select pg_sleep(15)"), row -> 1))
                .expectErrorSatisfies(error -> {
                    assertThat(error).isInstanceOf(CallTimeoutException.class);
                    assertThat(ScatterFailure.of(error)).isPresent();
                })
                .verify(Duration.ofSeconds(5));
        for (ShardNode node : SHARDS.nodes()) {
            await("nothing runs on " + node.name(), Duration.ofSeconds(2), () -> busy(node, APP) == 0);
        }
    }

    @Test
    void failureEndsAFailFastCallWithTheManifest() {
        Query failing = Query.of("select 1 / (tenant_id - 1) from rows_ where tenant_id < 3");

        StepVerifier.create(router.allShards().query(failing, row -> row.get(0, Long.class)))
                .thenConsumeWhile(row -> true)
                .expectErrorSatisfies(error -> {
                    assertThat(((R2dbcException) error).getSqlState()).isEqualTo("22012");
                    assertThat(NodeFailure.of(error))
                            .hasValueSatisfying(failure ->
                                    assertThat(failure.node().shard()).isEqualTo(ShardId.of("s1")));
                    assertThat(ScatterFailure.of(error)).hasValueSatisfying(failure -> {
                        assertThat(failure.manifest().outcomes()).hasSize(3);
                        assertThat(failure.manifest().outcomes().get(1)).isInstanceOf(ShardOutcome.Failed.class);
                    });
                })
                .verify(TIMEOUT);
    }

    @Test
    void callerWhoContinuesAfterErrorsGetsNoPartialAnswer() {
        // The second and the third shard have no such table.
        TestClusters.sql(SHARDS.node(0), "create table only_here as select 1 as n");
        Query query = Query.of("select n from only_here");
        ScatterOperations all = router.allShards();
        for (Flux<?> answer : List.of(
                all.query(query, row -> 1),
                all.orderBy(SortKey.asc("n")).query(query, row -> 1),
                all.gather(query, row -> 1),
                all.orderBy(SortKey.asc("n")).page(5).query(query, row -> 1).flux(),
                all.reduce(query, row -> 1, () -> 0, Integer::sum, Integer::sum).flux(),
                all.aggregate(query, Aggregation.ofAll().count("n")),
                all.execute("alter table only_here add m int").flux())) {
            StepVerifier.create(answer.onErrorContinue((error, element) -> {}).then())
                    .expectErrorSatisfies(error -> {
                        assertThat(error).hasMessageContaining("only_here");
                        assertThat(ScatterFailure.of(error)).isPresent();
                    })
                    .verify(TIMEOUT);
        }
    }

    @Test
    void failingShardIsLeftOutOnBestEffort() {
        List<Gathered<Long>> all = router.allShards()
                .onFailure(FailurePolicy.BEST_EFFORT)
                .gather(
                        Query.of("select 1 / (tenant_id - 1) from rows_ where tenant_id < 3"),
                        row -> row.get(0, Long.class))
                .collectList()
                .block(TIMEOUT);

        assertThat(all).hasSize(3);
        assertThat(manifest(all).outcomes().get(1))
                .isInstanceOfSatisfying(
                        ShardOutcome.Failed.class,
                        failed -> assertThat(((R2dbcException) failed.cause()).getSqlState())
                                .isEqualTo("22012"));
    }

    @Test
    void unreachableShardIsLeftOutOnBestEffort() {
        ShardCluster withDead = TestClusters.over(SHARDS, APP)
                .shard(Shard.named("dead").primary("r2dbc:postgresql://app:x@127.0.0.1:1/app"))
                .build();
        try {
            List<Gathered<Integer>> all = withDead.allShards()
                    .onFailure(FailurePolicy.BEST_EFFORT)
                    .gather(Query.of("select 1"), row -> row.get(0, Integer.class))
                    .collectList()
                    .block(TIMEOUT);

            assertThat(all).hasSize(4);
            assertThat(((Gathered.Manifest<Integer>) all.get(3)).manifest().missing())
                    .containsExactly(ShardId.of("dead"));
        } finally {
            withDead.close().block(TIMEOUT);
        }
    }

    static List<FailurePolicy> policies() {
        return List.of(
                FailurePolicy.FAIL_FAST, FailurePolicy.BEST_EFFORT, FailurePolicy.quorum(1), FailurePolicy.quorum(3));
    }

    @ParameterizedTest
    @MethodSource("policies")
    void answerToWhichNoShardContributedIsAnError(FailurePolicy policy) {
        StepVerifier.create(
                        router.allShards().onFailure(policy).query(Query.of("select * from no_such_table"), row -> 1))
                .expectErrorSatisfies(error ->
                        assertThat(((R2dbcException) error).getSqlState()).isEqualTo("42P01"))
                .verify(TIMEOUT);
    }

    @Test
    void ddlRunsEverywhereAndTellsHowItEnded() {
        ScatterManifest created = cluster.allShards()
                .execute("create table ddl (id int); insert into ddl values (1), (2)")
                .block(TIMEOUT);
        assertThat(created.isComplete()).isTrue();
        assertThat(created.rows()).isEqualTo(6);
        for (ShardNode node : SHARDS.nodes()) {
            assertThat(number(node, "select count(*) from ddl")).isEqualTo(2);
        }

        TestClusters.sql(SHARDS.node(2), "drop table ddl");
        ScatterManifest partly = cluster.allShards()
                .onFailure(FailurePolicy.BEST_EFFORT)
                .execute("drop table ddl")
                .block(TIMEOUT);
        assertThat(partly.missing()).containsExactly(ShardId.of("s2"));

        StepVerifier.create(cluster.allShards().concurrency(1).execute("drop table ddl"))
                .expectErrorSatisfies(error -> assertThat(ScatterFailure.of(error)
                                .orElseThrow()
                                .manifest()
                                .outcomes())
                        .satisfiesExactly(
                                first -> assertThat(first).isInstanceOf(ShardOutcome.Failed.class),
                                second -> assertThat(second).isInstanceOf(ShardOutcome.Skipped.class),
                                third -> assertThat(third).isInstanceOf(ShardOutcome.Skipped.class)))
                .verify(TIMEOUT);
    }

    @Test
    void demandReachesEveryCursor() {
        Query rows = Query.of("select nextval('sent') from generate_series(1, 1000000)")
                .fetchSize(100);

        StepVerifier.create(router.allShards().query(rows, row -> row.get(0, Long.class)), 10)
                .expectNextCount(10)
                .thenAwait(Duration.ofMillis(500))
                .then(() -> {
                    for (ShardNode node : SHARDS.nodes()) {
                        assertThat(number(node, "select last_value from sent"))
                                .as("rows that %s has made: one portion", node.name())
                                .isBetween(1L, 500L);
                    }
                })
                .thenCancel()
                .verify(TIMEOUT);
    }

    @Test
    void cancelStopsEveryShard() {
        Disposable running = router.allShards()
                .query(Query.of("select pg_sleep(15)"), row -> 1)
                .subscribe();
        for (ShardNode node : SHARDS.nodes()) {
            await("it runs on " + node.name(), TIMEOUT, () -> busy(node, APP) == 1);
        }

        running.dispose();

        for (ShardNode node : SHARDS.nodes()) {
            await("it has stopped on " + node.name(), Duration.ofSeconds(2), () -> busy(node, APP) == 0);
        }
    }

    /** Answers of three event loops at the same moment must not turn into one error of Reactor's. */
    @Test
    void failuresAtTheSameMomentKeepTheirType() {
        for (int i = 0; i < 300; i++) {
            StepVerifier.create(router.allShards().query(Query.of("select no_such_column"), row -> 1))
                    .expectErrorSatisfies(error -> {
                        assertThat(error).isInstanceOf(R2dbcException.class);
                        assertThat(((R2dbcException) error).getSqlState()).isEqualTo("42703");
                        assertThat(ScatterFailure.of(error)).isPresent();
                    })
                    .verify(TIMEOUT);
        }
    }

    @Test
    void slowSubscriberIsNotTimedOut() {
        // The limit holds for opening a connection too, which is not what this is about.
        cluster.warmup().block(TIMEOUT);
        Flux<Long> rows = router.allShards()
                .shardTimeout(Duration.ofMillis(500))
                .query(
                        Query.of("select n from generate_series(1, 2000) n").fetchSize(10),
                        row -> row.get(0, Long.class));

        StepVerifier.create(rows, 100)
                .expectNextCount(100)
                .thenAwait(Duration.ofMillis(1_500))
                .thenRequest(Long.MAX_VALUE)
                .expectNextCount(5_900)
                .expectComplete()
                .verify(TIMEOUT);
    }

    /** The server's own statement_timeout could not tell a slow reader from a slow statement. */
    @Test
    void defaultTimeLimitIsForShardsAndNotForSlowSubscribers() {
        ShardCluster strict = TestClusters.over(SHARDS, APP)
                .callTimeout(Duration.ofMillis(500))
                .build();
        try {
            strict.warmup().block(TIMEOUT);
            Flux<Long> rows = strict.allShards()
                    .query(
                            Query.of("select n from generate_series(1, $1::int) n", 2_000)
                                    .fetchSize(100),
                            row -> row.get(0, Long.class));
            StepVerifier.create(rows, 300)
                    .expectNextCount(300)
                    .thenAwait(Duration.ofMillis(1_500))
                    .thenRequest(Long.MAX_VALUE)
                    .expectNextCount(5_700)
                    .expectComplete()
                    .verify(TIMEOUT);
            StepVerifier.create(strict.allShards().query(Query.of("select pg_sleep($1)", 5), row -> 1))
                    .expectError(CallTimeoutException.class)
                    .verify(Duration.ofSeconds(5));
            StepVerifier.create(strict.shard(ShardId.of("s0")).update(Query.of("select pg_sleep($1)", 5)))
                    .expectError(CallTimeoutException.class)
                    .verify(Duration.ofSeconds(5));
            StepVerifier.create(strict.shard(ShardId.of("s0"))
                            .timeout(Duration.ofSeconds(5))
                            .update(Query.of("select pg_sleep($1)", 1)))
                    .expectNextCount(1)
                    .expectComplete()
                    .verify(TIMEOUT);
        } finally {
            strict.close().block(TIMEOUT);
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ShardCluster.builder().callTimeout(Duration.ofMillis(-1)))
                .withMessageContaining("PT-0.001S");
    }

    @Test
    void statementTimeoutReachesTheServer() {
        ShardCluster strict = ShardCluster.builder()
                .shards(TestClusters.shardsOf(SHARDS))
                .connection(ConnectionSettings.DEFAULTS.withStatementTimeout(Duration.ofMillis(300)))
                .build();
        try {
            StepVerifier.create(strict.shard(ShardId.of("s0")).update(Query.of("select pg_sleep($1)", 5)))
                    .expectErrorSatisfies(error ->
                            assertThat(((R2dbcException) error).getSqlState()).isEqualTo("57014"))
                    .verify(Duration.ofSeconds(5));
        } finally {
            strict.close().block(TIMEOUT);
        }
    }

    @Test
    void concurrencyIsBounded() {
        AtomicInteger most = new AtomicInteger();
        router.allShards()
                .concurrency(1)
                .query(Query.of("select pg_sleep(0.05)"), row -> {
                    most.accumulateAndGet(TestClusters.acquired(cluster), Math::max);
                    return 1;
                })
                .blockLast(TIMEOUT);

        assertThat(most).hasValue(1);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> router.allShards().concurrency(0))
                .withMessageContaining("at least 1, was 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> router.allShards().shardTimeout(Duration.ofSeconds(-1)))
                .withMessageContaining("PT-1S");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> router.shards(List.of()))
                .withMessageContaining("at least one key");
    }

    /** Many scatters over pools of one connection: each holds at most one a shard, so none waits for another for ever. */
    @Test
    void scattersOverPoolsOfOneConnectionAllFinish() {
        ShardCluster small = TestClusters.over(SHARDS, APP)
                .pool(PoolSettings.DEFAULTS.withMaxSize(1))
                .build();
        try {
            List<Flux<Long>> calls = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                calls.add(small.allShards()
                        .query(Query.of("select tenant_id from rows_").fetchSize(64), row -> row.get(0, Long.class)));
            }
            assertThat(Flux.merge(Flux.fromIterable(calls), 50).count().block(TIMEOUT))
                    .isEqualTo(150_000);
        } finally {
            small.close().block(TIMEOUT);
        }
    }

    private static ScatterManifest manifest(List<Gathered<Long>> all) {
        return ((Gathered.Manifest<Long>) all.get(all.size() - 1)).manifest();
    }
}
