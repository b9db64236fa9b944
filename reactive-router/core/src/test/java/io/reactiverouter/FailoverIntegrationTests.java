package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.parallel.ExecutionMode.CONCURRENT;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.R2dbcDataIntegrityViolationException;
import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.connection.AcquireTimeoutException;
import io.reactiverouter.connection.CallTimeoutException;
import io.reactiverouter.connection.ClusterClosedException;
import io.reactiverouter.connection.ConnectionSettings;
import io.reactiverouter.connection.NodeFailure;
import io.reactiverouter.connection.NodeUnreachableException;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.failover.FailoverSettings;
import io.reactiverouter.failover.NoPrimaryException;
import io.reactiverouter.health.HealthSettings;
import io.reactiverouter.health.NodeStatus;
import io.reactiverouter.health.ShardStatus;
import io.reactiverouter.observation.CloseReason;
import io.reactiverouter.observation.ClusterListener;
import io.reactiverouter.test.EmbeddedShards;
import io.reactiverouter.test.ShardServer;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.NodeRole;
import io.reactiverouter.topology.NodeState;
import io.reactiverouter.topology.ReadPreference;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;

/** Primaries that die, hang, are replaced and come back, and what becomes of the calls meanwhile. */
@NullUnmarked
class FailoverIntegrationTests {

    private static final ShardId S0 = ShardId.of("s0");
    private static final String APP = "failover-tests";
    private static final HealthSettings HEALTH =
            HealthSettings.DEFAULTS.withInterval(Duration.ofSeconds(1)).withTimeout(Duration.ofMillis(500));

    @AutoClose
    private final EmbeddedShards servers = EmbeddedShards.builder(1)
            .replicas(1)
            .networks()
            .initSql("create table written (id bigint primary key)")
            .start();

    private final ShardServer first = servers.server(0, 0);
    private final ShardServer second = servers.server(0, 1);
    private final Queue<String> events = new ConcurrentLinkedQueue<>();
    private ShardCluster cluster;

    @AfterEach
    void close() {
        if (cluster != null) {
            assertThat(TestClusters.acquired(cluster)).as("connections in use").isZero();
            cluster.close().block(TIMEOUT);
        }
    }

    @Test
    @Execution(CONCURRENT)
    void writesGoOnOnThePromotedReplicaAndNoneThatWasAcknowledgedIsLost() throws Exception {
        replicateSynchronously();
        ShardOperations shard = open(FailoverSettings.DEFAULTS);
        write(shard, 0).block(TIMEOUT);
        Set<Long> acknowledged = ConcurrentHashMap.newKeySet();
        Queue<Throwable> errors = new ConcurrentLinkedQueue<>();
        AtomicLong ids = new AtomicLong();
        AtomicLong lastAnswer = new AtomicLong(System.nanoTime());
        AtomicLong longestGap = new AtomicLong();
        Disposable writers = Flux.range(0, 16)
                .flatMap(
                        writer -> Mono.defer(() -> {
                                    long id = ids.incrementAndGet();
                                    return write(shard, id)
                                            .doOnNext(done -> {
                                                acknowledged.add(id);
                                                long now = System.nanoTime();
                                                longestGap.accumulateAndGet(now - lastAnswer.getAndSet(now), Math::max);
                                            })
                                            .onErrorResume(error -> {
                                                errors.add(error);
                                                return Mono.just(0L);
                                            });
                                })
                                .repeat(),
                        16)
                .subscribe();

        Thread.sleep(1000);
        int before = acknowledged.size();
        first.kill();
        Thread.sleep(300);
        second.promote();
        int promoted = acknowledged.size();
        await("writes go on", TIMEOUT, () -> acknowledged.size() > promoted + 1000);
        writers.dispose();
        await("nothing is under way", TIMEOUT, () -> TestClusters.acquired(cluster) == 0 && acquiredOf(1) == 0);

        System.out.printf(
                "failover: %d writes acknowledged before, %d after; %d failed; longest gap %d ms%n",
                before, acknowledged.size() - before, errors.size(), TimeUnit.NANOSECONDS.toMillis(longestGap.get()));
        assertThat(ids(second)).containsAll(acknowledged);
        assertThat(Duration.ofNanos(longestGap.get()))
                .isLessThan(Duration.ofMillis(300).plus(HEALTH.interval()).plusSeconds(2));
        assertThat(errors)
                .as("only those that were under way, so that nobody knows")
                .hasSizeLessThanOrEqualTo(16)
                .allSatisfy(error -> assertThat(error)
                        .isInstanceOf(R2dbcException.class)
                        // It was done twice, or could have waited.
                        .isNotInstanceOfAny(
                                R2dbcDataIntegrityViolationException.class,
                                NoPrimaryException.class,
                                AcquireTimeoutException.class,
                                NodeUnreachableException.class));
        assertThat(events)
                .anyMatch(event -> event.startsWith("primary " + endpoint(first) + " -> " + endpoint(second)));
        assertThat(status().primary().endpoint()).isEqualTo(endpoint(second));
    }

    @Test
    @Execution(CONCURRENT)
    void callsWaitForAPrimaryThatIsStartedAgain() throws Exception {
        ShardOperations shard = open(FailoverSettings.DEFAULTS);
        write(shard, 1).block(TIMEOUT);
        first.kill();

        CompletableFuture<Long> update = write(shard, 2).toFuture();
        CompletableFuture<Long> transaction =
                shard.inTransaction(connection -> insert(connection, 3)).toFuture();
        CompletableFuture<Connection> borrowed = shard.connection().toFuture();
        CompletableFuture<List<Long>> scattered = cluster.allShards()
                .query(Query.of("select count(*) from written"), row -> row.get(0, Long.class))
                .collectList()
                .toFuture();
        Thread.sleep(1000);
        assertThat(List.of(update, transaction, borrowed, scattered)).noneMatch(CompletableFuture::isDone);
        first.start();

        assertThat(update.get(10, TimeUnit.SECONDS)).isEqualTo(1);
        assertThat(transaction.get(10, TimeUnit.SECONDS)).isEqualTo(1);
        assertThat(scattered.get(10, TimeUnit.SECONDS)).hasSize(1);
        Mono.from(borrowed.get(10, TimeUnit.SECONDS).close()).block(TIMEOUT);
        assertThat(ids(first)).containsExactlyInAnyOrder(1L, 2L, 3L);
    }

    @Test
    @Execution(CONCURRENT)
    void callsGiveUpInTimeAndSayThatTheyHaveNotRun() {
        ShardOperations shard = open(FailoverSettings.DEFAULTS.withMaxWait(Duration.ofSeconds(1)));
        first.kill();
        AtomicInteger runs = new AtomicInteger();

        long start = System.nanoTime();
        StepVerifier.create(shard.inTransaction(connection -> {
                    runs.incrementAndGet();
                    return insert(connection, 1);
                }))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(NoPrimaryException.class)
                        .hasMessageContaining("shard s0 has no primary that answers")
                        .hasMessageContaining("the call has not run")
                        .hasRootCauseInstanceOf(java.net.ConnectException.class))
                .verify(TIMEOUT);
        assertThat(Duration.ofNanos(System.nanoTime() - start))
                .isBetween(Duration.ofMillis(900), Duration.ofSeconds(3));
        assertThat(runs).hasValue(0);

        first.start();
        assertThat(ids(first)).isEmpty();
    }

    @Test
    @Execution(CONCURRENT)
    void onlySoManyCallsWait() {
        ShardOperations shard = open(
                FailoverSettings.DEFAULTS.withMaxWait(Duration.ofSeconds(2)).withMaxWaiting(3));
        first.kill();
        Queue<String> messages = new ConcurrentLinkedQueue<>();
        Flux.range(0, 5)
                .flatMap(id -> write(shard, id).onErrorResume(error -> {
                    messages.add(error.getMessage());
                    return Mono.empty();
                }))
                .blockLast(TIMEOUT);
        assertThat(messages).hasSize(5);
        assertThat(messages.stream().filter(message -> message.contains("3 calls wait for one already")))
                .hasSize(2);
    }

    @Test
    @Execution(CONCURRENT)
    void callsThatLeaveWhileTheyWaitLeaveNothing() throws Exception {
        ShardOperations shard = open(FailoverSettings.DEFAULTS.withMaxWaiting(50));
        first.kill();
        List<Disposable> waiting = IntStream.range(0, 50)
                .mapToObj(id -> write(shard, id).subscribe(done -> {}, error -> events.add("error " + error)))
                .toList();
        Thread.sleep(500);
        waiting.forEach(Disposable::dispose);
        // As many again find their places free.
        CompletableFuture<Void> others =
                Flux.range(100, 50).flatMap(id -> write(shard, id), 50).then().toFuture();
        Thread.sleep(500);
        assertThat(others).isNotDone();
        first.start();
        assertThat(others).succeedsWithin(TIMEOUT);
        assertThat(ids(first)).hasSize(50).allSatisfy(id -> assertThat(id).isGreaterThanOrEqualTo(100));
        assertThat(events).noneMatch(event -> event.startsWith("error"));
    }

    @Test
    @Execution(CONCURRENT)
    void workThatHasBegunIsNotDoneAgain() throws Exception {
        ShardOperations shard = open(FailoverSettings.DEFAULTS);
        write(shard, 0).block(TIMEOUT);
        AtomicInteger runs = new AtomicInteger();
        CompletableFuture<Long> transaction = shard.inTransaction(connection -> {
                    runs.incrementAndGet();
                    return insert(connection, 1)
                            .then(Mono.from(connection
                                    .createStatement("select pg_sleep(20)")
                                    .execute()))
                            .flatMapMany(result -> result.getRowsUpdated())
                            .then(Mono.just(1L));
                })
                .toFuture();
        await("it is under way", TIMEOUT, () -> runs.get() == 1 && TestClusters.busy(first.node(), APP) == 1);
        first.kill();
        first.start();

        assertThat(transaction)
                .failsWithin(TIMEOUT)
                .withThrowableOfType(java.util.concurrent.ExecutionException.class)
                .satisfies(error -> assertThat(NodeFailure.of(error)).isPresent());
        assertThat(runs).hasValue(1);
        assertThat(ids(first)).containsExactly(0L);
    }

    @Test
    @Execution(CONCURRENT)
    void primaryThatHangsIsLeftAndGetsNothingMoreWhenItWakesUp() throws Exception {
        ShardOperations shard = open(FailoverSettings.DEFAULTS);
        write(shard, 1).block(TIMEOUT);
        second.awaitReplayOf(first);
        first.pause();
        CompletableFuture<Long> hanging = write(shard, 2).toFuture();
        Thread.sleep(200);
        second.promote();

        // Long before the time limit of the call: its connection is cut when the writes go elsewhere.
        assertThat(hanging).failsWithin(Duration.ofSeconds(10));
        for (long id = 10; id < 20; id++) {
            write(shard, id).block(TIMEOUT);
        }
        first.resume();
        await(
                "it is found out",
                TIMEOUT,
                () -> events.stream().anyMatch(event -> event.startsWith("fenced " + endpoint(first))));
        for (long id = 20; id < 30; id++) {
            write(shard, id).block(TIMEOUT);
        }
        assertThat(ids(first)).as("written where nobody looks").isSubsetOf(1L, 2L);
        assertThat(ids(second)).hasSize(21).contains(1L, 10L, 29L);
        assertThat(nodeStatus(first))
                .satisfies(status -> assertThat(status.fenced()).isTrue());
    }

    @Test
    @Execution(CONCURRENT)
    void callsThatWaitForAConnectionToTheOldPrimaryDoNotRunThere() {
        ShardOperations shard = open(FailoverSettings.DEFAULTS, HEALTH, PoolSettings.DEFAULTS.withMaxSize(1));
        write(shard, 1).block(TIMEOUT);
        second.awaitReplayOf(first);
        CompletableFuture<Long> busy =
                shard.update(Query.of("select pg_sleep(30)")).toFuture();
        await("it is under way", TIMEOUT, () -> TestClusters.busy(first.node(), APP) == 1);
        CompletableFuture<Void> queued =
                Flux.range(100, 20).flatMap(id -> write(shard, id), 20).then().toFuture();
        await(
                "they wait",
                TIMEOUT,
                () -> cluster.poolStatistics(
                                        cluster.shards().get(0).nodes().get(0).id())
                                .pending()
                        == 20);

        second.promote();

        assertThat(queued).succeedsWithin(TIMEOUT);
        assertThat(busy).failsWithin(TIMEOUT);
        assertThat(ids(first)).containsExactly(1L);
        assertThat(ids(second)).hasSize(21);
    }

    @Test
    @Execution(CONCURRENT)
    void callsWaitWhileAPrimaryHangsThatHoldsThePool() throws Exception {
        ShardOperations shard = open(
                FailoverSettings.DEFAULTS,
                HEALTH,
                PoolSettings.DEFAULTS.withMaxSize(1).withAcquireTimeout(Duration.ofSeconds(1)));
        write(shard, 1).block(TIMEOUT);
        second.awaitReplayOf(first);
        first.pause();
        CompletableFuture<Long> begun = write(shard, 2).toFuture();
        CompletableFuture<Long> waiting = write(shard, 3).toFuture();
        Thread.sleep(2500);
        assertThat(waiting).isNotDone();
        second.promote();
        assertThat(waiting).succeedsWithin(TIMEOUT);
        assertThat(begun).failsWithin(TIMEOUT);
        assertThat(ids(second)).containsExactlyInAnyOrder(1L, 3L);
    }

    @Test
    @Execution(CONCURRENT)
    void ownTimeLimitSaysThatACallHasNotRun() {
        ShardOperations shard = open(FailoverSettings.DEFAULTS);
        first.kill();
        StepVerifier.create(write(shard.timeout(Duration.ofMillis(700)), 1))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOfSatisfying(
                                CallTimeoutException.class,
                                late -> assertThat(late.consequence())
                                        .isEqualTo(CallTimeoutException.Consequence.NOT_RUN))
                        .hasMessageContaining("it has not run"))
                .verify(TIMEOUT);
    }

    @Test
    @Execution(CONCURRENT)
    void closedClusterLetsNobodyWait() throws Exception {
        ShardOperations shard = open(FailoverSettings.DEFAULTS);
        first.kill();
        CompletableFuture<Long> waiting = write(shard, 1).toFuture();
        Thread.sleep(500);
        assertThat(waiting).isNotDone();
        cluster.close().block(TIMEOUT);
        assertThat(waiting)
                .failsWithin(Duration.ofSeconds(2))
                .withThrowableOfType(java.util.concurrent.ExecutionException.class)
                .withCauseInstanceOf(ClusterClosedException.class);
        StepVerifier.create(write(shard, 2))
                .expectError(ClusterClosedException.class)
                .verify(Duration.ofSeconds(2));
    }

    @Test
    @Execution(CONCURRENT)
    void serverOfAnotherDatabaseClusterIsNoReplica() {
        try (EmbeddedShards others = EmbeddedShards.builder(1)
                .replicas(1)
                .initSql("create table written (id bigint primary key)")
                .start()) {
            // Its timeline is later, by a promotion of its own.
            others.server(0, 1).awaitReplayOf(others.server(0));
            others.server(0, 1).promote();
            cluster = builder(first, others.server(0, 1), FailoverSettings.DEFAULTS)
                    .build();
            write(cluster.shard(S0), 1).block(TIMEOUT);
            await(
                    "it is found out",
                    TIMEOUT,
                    () -> nodeStatus(others.server(0, 1)).fenced());
            write(cluster.shard(S0), 2).block(TIMEOUT);
            assertThat(ids(first)).containsExactlyInAnyOrder(1L, 2L);
            assertThat(ids(others.server(0, 1))).isEmpty();
            assertThat(events).anyMatch(event -> event.contains("another database cluster"));
        }
    }

    @Test
    @Execution(CONCURRENT)
    void nodeThatRefusesProbesOnlyIsNotEjected() throws Exception {
        ShardOperations shard =
                open(FailoverSettings.DEFAULTS, HEALTH.withInterval(Duration.ofMillis(200)), PoolSettings.DEFAULTS);
        write(shard, 1).block(TIMEOUT);
        try (var connection = first.node().openSuperuserJdbc();
                Statement statement = connection.createStatement()) {
            statement.execute("revoke execute on function pg_control_system() from public");
        }
        await("it refuses", TIMEOUT, () -> nodeStatus(first).lastError() != null);
        Thread.sleep(1500);
        assertThat(nodeStatus(first).state()).isEqualTo(NodeState.HEALTHY);
        write(shard, 2).block(Duration.ofSeconds(1));
    }

    @Test
    @Execution(CONCURRENT)
    void formerPrimaryThatComesBackGetsNoWrites() {
        ShardOperations shard = open(FailoverSettings.DEFAULTS);
        write(shard, 1).block(TIMEOUT);
        second.awaitReplayOf(first);
        first.kill();
        second.promote();
        write(shard, 2).block(TIMEOUT);

        first.start();
        await("it is found out", TIMEOUT, () -> nodeStatus(first).fenced());
        // The one that has the writes goes away for a moment: the former primary is no substitute.
        second.kill();
        CompletableFuture<Long> waiting = write(shard, 3).toFuture();
        await("both are known", TIMEOUT, () -> nodeStatus(second).failures() > 0);
        second.start();
        assertThat(waiting).succeedsWithin(TIMEOUT);

        assertThat(ids(first)).containsExactly(1L);
        assertThat(ids(second)).containsExactlyInAnyOrder(1L, 2L, 3L);

        first.follow(second);
        await(
                "it is a replica",
                TIMEOUT,
                () -> nodeStatus(first).role() == NodeRole.REPLICA
                        && !nodeStatus(first).fenced());
        assertThat(events.stream().filter(event -> event.startsWith("fenced"))).hasSize(1);
    }

    @Test
    @Execution(CONCURRENT)
    void firstCallFindsAPrimaryThatHasMovedBefore() {
        second.awaitReplayOf(first);
        first.stop();
        second.promote();
        first.follow(second);

        ShardOperations shard = open(FailoverSettings.DEFAULTS);
        write(shard, 1).block(TIMEOUT);

        assertThat(ids(second)).containsExactly(1L);
        assertThat(events)
                .anyMatch(event -> event.startsWith("primary " + endpoint(first) + " -> " + endpoint(second)));
    }

    @Test
    @Execution(CONCURRENT)
    void firstCallGoesToTheLaterOfTwoPrimaries() {
        second.awaitReplayOf(first);
        second.promote();

        ShardOperations shard = open(FailoverSettings.DEFAULTS);
        write(shard, 1).block(TIMEOUT);

        assertThat(ids(first)).isEmpty();
        assertThat(ids(second)).containsExactly(1L);
        assertThat(events).anyMatch(event -> event.startsWith("fenced " + endpoint(first)));
    }

    @Test
    @Execution(CONCURRENT)
    void warmupFindsThePrimaryToo() {
        second.awaitReplayOf(first);
        first.stop();
        second.promote();
        first.follow(second);
        open(FailoverSettings.DEFAULTS);
        cluster.warmup().block(TIMEOUT);
        assertThat(status().primary().endpoint()).isEqualTo(endpoint(second));
    }

    @Test
    @Execution(CONCURRENT)
    void standbyThatTakesTheNameOfItsPrimaryIsFoundOutBeforeAWrite() {
        // A switch-over between two probes: the connections break, and new ones would reach a standby.
        ShardOperations shard =
                open(FailoverSettings.DEFAULTS, HEALTH.withInterval(Duration.ofHours(1)), PoolSettings.DEFAULTS);
        write(shard, 1).block(TIMEOUT);
        second.awaitReplayOf(first);
        first.stop();
        second.promote();
        first.follow(second);

        write(shard, 2).block(TIMEOUT);

        assertThat(ids(second)).containsExactlyInAnyOrder(1L, 2L);
    }

    @Test
    @Execution(CONCURRENT)
    void statusTellsStatesRolesAndSince() {
        open(FailoverSettings.DEFAULTS);
        assertThat(status().nodes()).allSatisfy(node -> assertThat(node.since()).isNull());
        cluster.warmup().block(TIMEOUT);
        await("all have answered", TIMEOUT, () -> status().nodes().stream().allMatch(node -> node.since() != null));
        assertThat(status().healthy()).isEqualTo(2);
        assertThat(nodeStatus(first).role()).isEqualTo(NodeRole.PRIMARY);
        assertThat(nodeStatus(second).role()).isEqualTo(NodeRole.REPLICA);
        assertThat(nodeStatus(first).timeline()).isPositive();
        assertThat(nodeStatus(first).latency()).isPositive();
        assertThat(cluster.status().writable()).isEqualTo(1);
        assertThat(cluster.status().healthy()).isEqualTo(2);
        assertThat(cluster.status().total()).isEqualTo(2);
        assertThat(cluster.status().shard(status().shard()).total()).isEqualTo(2);
        assertThatThrownBy(() -> cluster.status().shard(ShardId.of("s9")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the cluster has no shard s9");

        second.network().cut();
        await("it is ejected", TIMEOUT, () -> nodeStatus(second).state() == NodeState.EJECTED);
        assertThat(nodeStatus(second)).satisfies(status -> {
            assertThat(status.failures()).isGreaterThanOrEqualTo(3);
            assertThat(status.lastError()).contains("PT0.5S");
        });
        assertThat(status().healthy()).isEqualTo(1);
        assertThat(cluster.status().writable()).isEqualTo(1);
        second.network().heal();
        await("it is back", TIMEOUT, () -> nodeStatus(second).state() == NodeState.HEALTHY);
        assertThat(events)
                .contains(
                        "state " + endpoint(second) + " HEALTHY -> EJECTED",
                        "state " + endpoint(second) + " EJECTED -> HEALTHY");
    }

    @Test
    @Execution(CONCURRENT)
    void primaryWhoseCallsFailIsShownAndKeepsItsWrites() {
        ShardOperations shard = open(FailoverSettings.DEFAULTS);
        write(shard, 1).block(TIMEOUT);
        await("both have answered", TIMEOUT, () -> status().nodes().stream().allMatch(node -> node.since() != null));
        assertThat(nodeStatus(first).errorRate()).isZero();
        Query end = Query.of("select pg_terminate_backend(pg_backend_pid())");
        for (int call = 0; call < 20; call++) {
            assertThatThrownBy(() -> shard.update(end).block(TIMEOUT))
                    .as("of call %d", call)
                    .isInstanceOf(R2dbcException.class);
        }

        assertThat(nodeStatus(first)).satisfies(node -> {
            assertThat(node.state()).isEqualTo(NodeState.EJECTED);
            assertThat(node.errorRate()).isGreaterThan(0.5);
            assertThat(node.failures()).as("probes are answered").isZero();
            assertThat(node.connections().closed(CloseReason.BROKEN)).isGreaterThan(10);
            assertThat(node.connections().max()).isEqualTo(PoolSettings.DEFAULTS.maxSize());
        });
        assertThat(status().healthy()).isEqualTo(1);
        assertThat(status().total()).isEqualTo(2);
        assertThat(cluster.status().writable()).isEqualTo(1);
        assertThat(isStandby(shard.reading(ReadPreference.nearest()))).isTrue();
        long start = System.nanoTime();
        write(shard, 2).block(TIMEOUT);
        assertThat(Duration.ofNanos(System.nanoTime() - start))
                .as("nobody waits for a primary that is there")
                .isLessThan(Duration.ofSeconds(1));
        await("it is tried again", TIMEOUT, () -> nodeStatus(first).state() == NodeState.HEALTHY);
        for (int call = 3; call < 10; call++) {
            write(shard, call).block(TIMEOUT);
        }
        assertThat(nodeStatus(first)).satisfies(node -> {
            assertThat(node.state()).isEqualTo(NodeState.HEALTHY);
            assertThat(node.errorRate()).isZero();
        });
        assertThat(events)
                .contains(
                        "state " + endpoint(first) + " HEALTHY -> EJECTED",
                        "state " + endpoint(first) + " EJECTED -> HEALTHY");
    }

    private static boolean isStandby(ShardOperations shard) {
        return shard.queryOne(Query.of("select pg_is_in_recovery()"), row -> row.get(0, Boolean.class))
                .blockOptional(TIMEOUT)
                .orElseThrow();
    }

    @Test
    @Execution(CONCURRENT)
    void replicaThatFallsBehindIsLagging() throws Exception {
        ShardOperations shard = open(
                FailoverSettings.DEFAULTS,
                HEALTH.withInterval(Duration.ofMillis(200)).withMaxLag(Duration.ofSeconds(1)),
                PoolSettings.DEFAULTS);
        write(shard, 1).block(TIMEOUT);
        second.awaitReplayOf(first);
        second.replicationDelay(Duration.ofMinutes(5));
        write(shard, 2).block(TIMEOUT);
        await("it lags", TIMEOUT, () -> nodeStatus(second).state() == NodeState.LAGGING);
        assertThat(nodeStatus(second).lagBytes()).isPositive();
        assertThat(nodeStatus(second).lag()).isGreaterThan(Duration.ofSeconds(1));
        second.replicationDelay(Duration.ZERO);
        await("it has caught up", TIMEOUT, () -> nodeStatus(second).state() == NodeState.HEALTHY);
    }

    @Test
    @Execution(CONCURRENT)
    void fullPoolDoesNotMakeANodeLookDead() throws Exception {
        ShardOperations shard = open(
                FailoverSettings.DEFAULTS,
                HEALTH.withInterval(Duration.ofMillis(100)),
                PoolSettings.DEFAULTS.withMaxSize(1));
        CompletableFuture<Long> busy =
                shard.update(Query.of("select pg_sleep(2)")).toFuture();
        await("it is under way", TIMEOUT, () -> TestClusters.busy(first.node(), APP) == 1);
        Thread.sleep(1500);
        assertThat(nodeStatus(first).failures()).isZero();
        assertThat(nodeStatus(first).state()).isEqualTo(NodeState.HEALTHY);
        busy.get(10, TimeUnit.SECONDS);
    }

    @Test
    @Execution(CONCURRENT)
    void closedClusterProbesNothing() throws Exception {
        open(FailoverSettings.DEFAULTS);
        cluster.warmup().block(TIMEOUT);
        await("both are probed", TIMEOUT, () -> probes(first) == 1 && probes(second) == 1);
        cluster.close().block(TIMEOUT);
        cluster = null;
        await("no connection is left", TIMEOUT, () -> probes(first) == 0 && probes(second) == 0);
        Thread.sleep(1500);
        assertThat(probes(first) + probes(second)).isZero();
    }

    private static long probes(ShardServer server) {
        return TestClusters.connections(server.node(), APP + " health");
    }

    private ShardOperations open(FailoverSettings failover) {
        return open(failover, HEALTH, PoolSettings.DEFAULTS);
    }

    private ShardOperations open(FailoverSettings failover, HealthSettings health, PoolSettings pool) {
        cluster = builder(first, second, failover).pool(pool).health(health).build();
        return cluster.shard(S0);
    }

    private ShardCluster.Builder builder(ShardServer primary, ShardServer replica, FailoverSettings failover) {
        return ShardCluster.builder()
                .shard(Shard.named("s0")
                        .primary(primary.node().r2dbcUrl())
                        .replica(replica.node().r2dbcUrl()))
                .connection(ConnectionSettings.DEFAULTS.withApplicationName(APP))
                .health(HEALTH)
                .failover(failover)
                .listener(new ClusterListener() {
                    @Override
                    public void stateChanged(NodeId node, NodeState before, NodeState after, String reason) {
                        events.add("state " + node.endpoint() + " " + before + " -> " + after);
                    }

                    @Override
                    public void primaryChanged(ShardId shard, NodeId before, NodeId after, String reason) {
                        events.add("primary " + before.endpoint() + " -> " + after.endpoint() + ": " + reason);
                    }

                    @Override
                    public void fenced(NodeId node, String reason) {
                        events.add("fenced " + node.endpoint() + ": " + reason);
                    }
                });
    }

    private static Mono<Long> write(ShardOperations shard, long id) {
        return shard.update(Query.of("insert into written values ($1)", id));
    }

    private static Mono<Long> insert(Connection connection, long id) {
        return Flux.from(connection
                        .createStatement("insert into written values ($1)")
                        .bind(0, id)
                        .execute())
                .concatMap(result -> result.getRowsUpdated())
                .reduce(0L, Long::sum);
    }

    private void replicateSynchronously() throws SQLException {
        try (var connection = first.node().openSuperuserJdbc();
                Statement statement = connection.createStatement()) {
            statement.execute("alter system set synchronous_standby_names = '*'");
            statement.execute("select pg_reload_conf()");
        }
    }

    private ShardStatus status() {
        return cluster.status().shards().get(0);
    }

    private NodeStatus nodeStatus(ShardServer server) {
        return status().nodes().stream()
                .filter(node -> node.node().endpoint().equals(endpoint(server)))
                .findFirst()
                .orElseThrow();
    }

    private int acquiredOf(int node) {
        return cluster.poolStatistics(cluster.shards().get(0).nodes().get(node).id())
                .acquired();
    }

    private static String endpoint(ShardServer server) {
        return server.node().host() + ":" + server.node().port();
    }

    private static Set<Long> ids(ShardServer server) {
        try (var connection = server.node().openJdbc();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("select id from written")) {
            Set<Long> ids = new HashSet<>();
            while (result.next()) {
                ids.add(result.getLong(1));
            }
            return ids;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
