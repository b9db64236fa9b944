package io.reactiverouter.connection;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.await;
import static io.reactiverouter.TestClusters.busy;
import static io.reactiverouter.TestClusters.connections;
import static io.reactiverouter.TestClusters.number;
import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardOperations;
import io.reactiverouter.TestClusters;
import io.reactiverouter.failover.FailoverSettings;
import io.reactiverouter.observation.CloseReason;
import io.reactiverouter.observation.ClusterListener;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;

/** What a pool has counted, compared with what the server has seen. */
@NullUnmarked
class PoolStatisticsIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(1);

    private static final String APP = "statistics-tests";
    private static final Query ONE = Query.of("select 1");
    private static final Query SLEEP = Query.of("select pg_sleep(15)");
    private static final PoolSettings POOL = PoolSettings.DEFAULTS;

    @Test
    void idleConnectionCostsNoWait() {
        using(POOL.withMaxSize(1), cluster -> {
            for (int i = 0; i < 20; i++) {
                one(cluster);
            }
            assertThat(statistics(cluster).waits()).as("waits").isZero();
            assertThat(statistics(cluster).opened()).isOne();
            assertThat(statistics(cluster).isAtRest()).isTrue();
        });
    }

    @Test
    void whoWaitsAndWhoIsRefusedIsCounted() {
        PoolSettings settings = POOL.withMaxSize(1).withMaxPending(1).withAcquireTimeout(Duration.ofSeconds(2));
        using(settings, cluster -> {
            one(cluster);
            Disposable holding = shard(cluster).update(SLEEP).subscribe();
            await("the statement runs", TIMEOUT, () -> busy(SHARDS.node(0), APP) == 1);
            PoolStatistics before = statistics(cluster);
            assertThat(before.isAtRest()).isFalse();

            Mono<Long> late = shard(cluster).update(ONE);
            StepVerifier.create(Flux.merge(
                            late.onErrorResume(AcquireTimeoutException.class, error -> Mono.just(-1L)),
                            late.onErrorResume(PoolExhaustedException.class, error -> Mono.just(-2L))))
                    .expectNext(-2L, -1L)
                    .expectComplete()
                    .verify(TIMEOUT);

            PoolStatistics after = statistics(cluster);
            assertThat(after.waits() - before.waits()).as("waits").isEqualTo(2);
            assertThat(after.timeouts()).as("timeouts").isOne();
            assertThat(after.rejected()).as("rejected").isOne();
            holding.dispose();
            await("it is back", TIMEOUT, () -> statistics(cluster).isAtRest());
            assertThat(statistics(cluster).opened()).isOne();
        });
    }

    @ParameterizedTest
    @EnumSource
    void closedConnectionHasItsReason(CloseReason reason) {
        switch (reason) {
            case IDLE -> using(POOL.withMaxIdleTime(Duration.ofMillis(1)), cluster -> untilClosed(cluster, reason));
            case LIFETIME -> using(POOL.withMaxLifetime(Duration.ofMillis(1)), cluster -> untilClosed(cluster, reason));
            case REFUSED -> refused();
            case UNSETTLED -> using(POOL, PoolStatisticsIntegrationTests::unsettled);
            case SPOILT -> using(POOL, PoolStatisticsIntegrationTests::spoilt);
            case FENCED -> fenced();
            case BROKEN -> using(POOL, PoolStatisticsIntegrationTests::broken);
            case SHUTDOWN -> using(POOL, PoolStatisticsIntegrationTests::shutDown);
        }
    }

    private static void untilClosed(ShardCluster cluster, CloseReason reason) {
        await("one is closed", TIMEOUT, () -> {
            one(cluster);
            return statistics(cluster).closed(reason) > 0;
        });
        PoolStatistics found = statistics(cluster);
        assertThat(closed(found)).containsOnlyKeys(reason);
    }

    private static void refused() {
        ShardCluster cluster =
                TestClusters.over(SHARDS, APP).name("nobody-wrote-it-down").build();
        try {
            StepVerifier.create(shard(cluster).update(ONE))
                    .expectError(WrongDatabaseException.class)
                    .verify(TIMEOUT);
            closedOnce(cluster, CloseReason.REFUSED);
        } finally {
            cluster.close().block(TIMEOUT);
        }
    }

    private static void unsettled(ShardCluster cluster) {
        int pid = shard(cluster)
                .queryOne(Query.of("select pg_backend_pid()"), row -> row.get(0, Integer.class))
                .block(TIMEOUT);
        Disposable hanging = shard(cluster).update(SLEEP).subscribe();
        await("it runs", TIMEOUT, () -> busy(SHARDS.node(0), APP) == 1);
        signal("-STOP", pid);
        try {
            hanging.dispose();
            await("it is counted", TIMEOUT, () -> statistics(cluster).closed(CloseReason.UNSETTLED) == 1);
        } finally {
            signal("-CONT", pid);
        }
        closedOnce(cluster, CloseReason.UNSETTLED);
    }

    private static void signal(String signal, int pid) {
        try {
            assertThat(new ProcessBuilder("kill", signal, String.valueOf(pid))
                            .start()
                            .waitFor())
                    .isZero();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** One is opened while another that asked for it has left, and the cluster is closed in the middle of that. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 6, 8, 12, 20})
    void whatIsBeingOpenedIsClosedWithTheRest(int milliseconds) {
        String app = APP + "-opening-" + milliseconds;
        ShardCluster cluster = TestClusters.over(SHARDS, app).build();
        List<Disposable> asking = Flux.range(0, 8)
                .map(i -> shard(cluster).update(ONE).onErrorComplete().subscribe())
                .collectList()
                .block(TIMEOUT);
        Mono.delay(Duration.ofMillis(milliseconds)).block(TIMEOUT);
        asking.forEach(Disposable::dispose);
        cluster.close().block(TIMEOUT);
        await("no session is left", Duration.ofSeconds(5), () -> connections(SHARDS.node(0), app) == 0);
    }

    private static void spoilt(ShardCluster cluster) {
        shard(cluster)
                .withConnection(
                        connection -> Query.of("prepare mine as select 1").update(connection))
                .block(TIMEOUT);
        closedOnce(cluster, CloseReason.SPOILT);
    }

    private static void fenced() {
        Shard shard = TestClusters.shardsOf(SHARDS).get(0);
        NodeId node = shard.primary().id();
        NodePools pools = new NodePools(
                shard.nodes(),
                id -> POOL,
                id -> ConnectionSettings.DEFAULTS.withApplicationName(APP),
                1,
                ClusterListener.NONE,
                (opened, connection) -> Mono.empty());
        try {
            pools.warmup(List.of(node)).block(TIMEOUT);
            pools.cutAll(node).block(TIMEOUT);
            await("it is counted", TIMEOUT, () -> pools.statistics(node).closed(CloseReason.FENCED) == 1);
            assertThat(closed(pools.statistics(node))).containsOnlyKeys(CloseReason.FENCED);
        } finally {
            pools.close().block(TIMEOUT);
        }
    }

    private static void broken(ShardCluster cluster) {
        one(cluster);
        number(
                SHARDS.node(0),
                "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = '" + APP + "'");
        closedOnce(cluster, CloseReason.BROKEN);

        StepVerifier.create(shard(cluster).update(Query.of("select pg_terminate_backend(pg_backend_pid())")))
                .expectError()
                .verify(TIMEOUT);
        await("it is back", TIMEOUT, () -> statistics(cluster).isAtRest());
        assertThat(closed(statistics(cluster))).containsExactlyEntriesOf(Map.of(CloseReason.BROKEN, 2L));
    }

    private static void shutDown(ShardCluster cluster) {
        one(cluster);
        cluster.close().block(TIMEOUT);
        closedOnce(cluster, CloseReason.SHUTDOWN);
        assertThat(statistics(cluster).opened()).isOne();
    }

    private static void closedOnce(ShardCluster cluster, CloseReason reason) {
        await("it is counted", TIMEOUT, () -> statistics(cluster).closed(reason) > 0);
        PoolStatistics found = statistics(cluster);
        assertThat(closed(found)).containsExactlyEntriesOf(Map.of(reason, 1L));
        await("the server has lost it", TIMEOUT, () -> connections(SHARDS.node(0), APP) == found.opened() - 1);
    }

    @Test
    void openedLessClosedIsWhatTheServerHas() {
        using(POOL.withMaxSize(4), cluster -> {
            for (int round = 0; round < 5; round++) {
                Flux.range(0, 4)
                        .flatMap(i -> shard(cluster).update(Query.of("select pg_sleep(0.02)")))
                        .blockLast(TIMEOUT);
                number(
                        SHARDS.node(0),
                        "select count(pg_terminate_backend(pid, 10000)) from (select pid from pg_stat_activity"
                                + " where application_name = '" + APP + "' limit 2) victims");
                await("the server has the rest", TIMEOUT, () -> {
                    PoolStatistics found = statistics(cluster);
                    return connections(SHARDS.node(0), APP) == found.opened() - sum(found);
                });
            }
            assertThat(statistics(cluster).opened()).isGreaterThan(4);
            assertThat(closed(statistics(cluster))).containsOnlyKeys(CloseReason.BROKEN);
        });
    }

    private static long sum(PoolStatistics statistics) {
        return statistics.closed().values().stream().mapToLong(Long::longValue).sum();
    }

    private static Map<CloseReason, Long> closed(PoolStatistics statistics) {
        assertThat(statistics.closed()).containsOnlyKeys(CloseReason.values());
        return statistics.closed().entrySet().stream()
                .filter(entry -> entry.getValue() > 0)
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    private static PoolStatistics statistics(ShardCluster cluster) {
        return cluster.poolStatistics(cluster.shards().get(0).primary().id());
    }

    private static ShardOperations shard(ShardCluster cluster) {
        return cluster.shard(ShardId.of("s0"));
    }

    private static void one(ShardCluster cluster) {
        shard(cluster).update(ONE).block(TIMEOUT);
    }

    private interface Body {
        void run(ShardCluster cluster);
    }

    private static void using(PoolSettings settings, Body body) {
        ShardCluster cluster = TestClusters.over(SHARDS, APP)
                .pool(settings)
                .failover(FailoverSettings.DEFAULTS.withMaxWait(Duration.ZERO))
                .build();
        try {
            body.run(cluster);
        } finally {
            cluster.close().block(TIMEOUT);
            await("nothing is left", TIMEOUT, () -> connections(SHARDS.node(0), APP) == 0);
        }
    }
}
