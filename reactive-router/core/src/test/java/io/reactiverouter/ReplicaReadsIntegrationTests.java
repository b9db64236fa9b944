package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.await;
import static io.reactiverouter.order.SortKey.asc;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.connection.ConnectionSettings;
import io.reactiverouter.failover.FailoverSettings;
import io.reactiverouter.failover.FailureKind;
import io.reactiverouter.failover.NoPrimaryException;
import io.reactiverouter.failover.NoReplicaException;
import io.reactiverouter.failover.ReadSettings;
import io.reactiverouter.health.HealthSettings;
import io.reactiverouter.health.NodeStatus;
import io.reactiverouter.observation.ClusterListener;
import io.reactiverouter.routing.ReadYourWrites;
import io.reactiverouter.test.EmbeddedShards;
import io.reactiverouter.test.ShardServer;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.NodeState;
import io.reactiverouter.topology.ReadPreference;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;

/** Which of a primary and two replicas reads go to, and what they see there. */
@NullUnmarked
@Execution(ExecutionMode.SAME_THREAD)
class ReplicaReadsIntegrationTests {

    private static final ShardId S0 = ShardId.of("s0");
    private static final String APP = "replica-reads";
    private static final Query PORT =
            Query.of("select current_setting('port')::bigint").fetchSize(0);
    private static final HealthSettings HEALTH =
            HealthSettings.DEFAULTS.withInterval(Duration.ofMillis(200)).withTimeout(Duration.ofSeconds(1));

    @AutoClose
    private static final EmbeddedShards SERVERS = EmbeddedShards.builder(1)
            .replicas(2)
            .networks()
            .initSql("create table written (id bigint primary key)")
            .initSql("create function conflict() returns bigint language plpgsql as $$ begin"
                    + " if pg_is_in_recovery() then raise sqlstate '40001'; end if; return 1; end $$")
            .start();

    private static final AtomicLong IDS = new AtomicLong();
    private static final Map<ShardServer, Long> PORTS = new ConcurrentHashMap<>();

    private final ShardServer primary = SERVERS.server(0);
    private final ShardServer one = SERVERS.server(0, 1);
    private final ShardServer two = SERVERS.server(0, 2);
    private final Queue<Throwable> retried = new ConcurrentLinkedQueue<>();
    private final Queue<String> hedged = new ConcurrentLinkedQueue<>();
    private ShardCluster cluster;
    private ShardOperations shard;

    @AfterEach
    void close() {
        for (ShardServer server : List.of(primary, one, two)) {
            server.network().heal();
        }
        if (cluster != null) {
            await(
                    "all connections are back",
                    TIMEOUT,
                    () -> cluster.shards().get(0).nodes().stream()
                            .allMatch(node -> cluster.poolStatistics(node.id()).acquired() == 0));
            cluster.close().block(TIMEOUT);
        }
        for (ShardServer server : List.of(one, two)) {
            server.replicationDelay(Duration.ZERO);
            server.awaitReplayOf(primary);
        }
    }

    @Test
    void readsGoWhereTheyAreSentTo() {
        open();
        assertThat(ports(shard, 20)).containsExactly(port(primary));
        assertThat(ports(shard.reading(ReadPreference.primary()), 20)).containsExactly(port(primary));
        assertThat(ports(shard.reading(ReadPreference.replica()), 100)).containsExactlyInAnyOrder(port(one), port(two));
        assertThat(ports(shard.reading(ReadPreference.preferReplica()), 100))
                .containsExactlyInAnyOrder(port(one), port(two));
    }

    @Test
    void onlyQueriesGoToReplicas() {
        open();
        ShardOperations reading = shard.reading(ReadPreference.replica());
        long id = IDS.incrementAndGet();
        assertThat(write(reading, id).block(TIMEOUT)).isEqualTo(1);
        assertThat(reading.inTransaction(connection -> PORT.fetch(connection, row -> row.get(0, Long.class))
                                .next())
                        .block(TIMEOUT))
                .isEqualTo(port(primary));
        assertThat(reading.withConnection(connection -> PORT.fetch(connection, row -> row.get(0, Long.class))
                                .next())
                        .block(TIMEOUT))
                .isEqualTo(port(primary));
        StepVerifier.create(reading.query(
                        Query.of("insert into written values ($1) returning id", IDS.incrementAndGet()),
                        row -> row.get(0, Long.class)))
                .expectErrorSatisfies(error -> assertThat(FailureKind.of(error)).isEqualTo(FailureKind.READ_ONLY))
                .verify(TIMEOUT);
    }

    @Test
    void scatterReadsFromReplicasToo() {
        open();
        ScatterOperations all = cluster.allShards().reading(ReadPreference.replica());
        Query recovery = Query.of("select pg_is_in_recovery() as replica, n from generate_series(1, 3000) n");
        assertThat(all.query(recovery, row -> row.get(0, Boolean.class))
                        .collectList()
                        .block(TIMEOUT))
                .hasSize(3000)
                .containsOnly(true);
        assertThat(all.orderBy(asc("n"))
                        .limit(5)
                        .query(recovery, row -> row.get(0, Boolean.class))
                        .collectList()
                        .block(TIMEOUT))
                .hasSize(5)
                .containsOnly(true);
        assertThat(cluster.allShards()
                        .query(recovery, row -> row.get(0, Boolean.class))
                        .collectList()
                        .block(TIMEOUT))
                .containsOnly(false);
    }

    @Test
    void replicasThatDieAreLeftWithoutAnError() {
        open();
        ShardOperations reading = shard.reading(ReadPreference.preferReplica());
        Queue<Throwable> errors = new ConcurrentLinkedQueue<>();
        AtomicInteger answers = new AtomicInteger();
        Disposable readers = Flux.range(0, 8)
                .flatMap(
                        reader -> Mono.defer(() -> port(reading))
                                .doOnNext(port -> answers.incrementAndGet())
                                .onErrorResume(error -> {
                                    errors.add(error);
                                    return Mono.empty();
                                })
                                .repeat(),
                        8)
                .subscribe();
        await("they read", TIMEOUT, () -> answers.get() > 500);
        try {
            killOneAfterTheOther(reading, answers, readers, errors);
        } finally {
            one.start();
            two.start();
        }
        await("they are back", TIMEOUT, () -> ports(reading, 50).equals(Set.of(port(one), port(two))));
    }

    private void killOneAfterTheOther(
            ShardOperations reading, AtomicInteger answers, Disposable readers, Queue<Throwable> errors) {
        port(one);
        port(two);
        one.kill();
        int then = answers.get();
        await("they read on", TIMEOUT, () -> answers.get() > then + 500);
        two.kill();
        int afterwards = answers.get();
        await("they read from the primary", TIMEOUT, () -> answers.get() > afterwards + 500);
        readers.dispose();
        assertThat(errors).isEmpty();
        assertThat(ports(reading, 10)).containsExactly(port(primary));
        StepVerifier.create(port(shard.reading(ReadPreference.replica())))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(NoReplicaException.class)
                        .hasMessageContaining("shard s0 has no replica to read from")
                        .hasMessageContaining("preferReplica()"))
                .verify(TIMEOUT);
    }

    @Test
    void conflictWithRecoveryGoesToTheNextNode() {
        open();
        assertThat(shard.reading(ReadPreference.preferReplica())
                        .queryOne(Query.of("select conflict()"), row -> row.get(0, Long.class))
                        .block(TIMEOUT))
                .isEqualTo(1);
        assertThat(retried)
                .hasSize(2)
                .allSatisfy(error -> assertThat(FailureKind.of(error)).isEqualTo(FailureKind.CONFLICT));
    }

    @Test
    @Tag("undisturbed")
    void nearestIsTheOneThatAnswersFastest() {
        primary.network().latency(Duration.ofMillis(30));
        one.network().latency(Duration.ofMillis(60));
        open();
        ShardOperations reading = shard.reading(ReadPreference.nearest());
        await("all have been asked", TIMEOUT, () -> ports(reading, 5).equals(Set.of(port(two))));
        two.network().latency(Duration.ofMillis(100));
        await("another one is faster now", TIMEOUT, () -> ports(reading, 5).equals(Set.of(port(primary))));
    }

    @Test
    void regionComesBeforeLatency() {
        one.network().latency(Duration.ofMillis(30));
        cluster = ShardCluster.builder()
                .shard(Shard.named("s0")
                        .primary(primary.node().r2dbcUrl())
                        .replica(one.node().r2dbcUrl(), "eu")
                        .replica(two.node().r2dbcUrl(), "us")
                        .region("us"))
                .health(HEALTH)
                .reads(ReadSettings.DEFAULTS.withRegion("eu"))
                .build();
        ShardOperations reading = cluster.shard(S0).reading(ReadPreference.nearest());
        await(
                "the node of the region has answered",
                TIMEOUT,
                () -> ports(reading, 5).equals(Set.of(port(one))));
    }

    @Test
    void replicaThatIsTooFarBehindIsLeftOut() {
        open();
        hold(one);
        write(shard, IDS.incrementAndGet()).block(TIMEOUT);
        two.awaitReplayOf(primary);
        await(
                "it is seen",
                TIMEOUT,
                () -> status(one).lagBytes() > 0 && status(two).lagBytes() == 0);
        assertThat(ports(shard.reading(ReadPreference.replica()), 50)).contains(port(one), port(two));
        assertThat(ports(shard.reading(ReadPreference.replica().withMaxLagBytes(0)), 50))
                .containsExactly(port(two));
        await("some time passes", TIMEOUT, () -> status(one).lag().compareTo(Duration.ofMillis(500)) > 0);
        assertThat(ports(shard.reading(ReadPreference.replica().withMaxLag(Duration.ofMillis(400))), 50))
                .containsExactly(port(two));

        hold(two);
        write(shard, IDS.incrementAndGet()).block(TIMEOUT);
        await("it is seen", TIMEOUT, () -> status(two).lagBytes() > 0);
        assertThat(ports(shard.reading(ReadPreference.preferReplica().withMaxLagBytes(0)), 10))
                .containsExactly(port(primary));
        StepVerifier.create(port(shard.reading(ReadPreference.replica().withMaxLagBytes(0))))
                .expectError(NoReplicaException.class)
                .verify(TIMEOUT);
    }

    @Test
    void readsSeeWhatTheirOwnersWrote() {
        open();
        one.replicationDelay(Duration.ofMillis(50));
        two.replicationDelay(Duration.ofMillis(300));
        ShardOperations reading = shard.reading(ReadPreference.preferReplica());
        Set<Long> ports = new HashSet<>();
        for (int round = 0; round < 30; round++) {
            long id = IDS.incrementAndGet();
            ReadYourWrites writes = ReadYourWrites.begin();
            boolean transaction = round % 2 == 0;
            (transaction
                            ? shard.inTransaction(connection -> Query.of("insert into written values ($1)", id)
                                    .update(connection))
                            : write(shard, id))
                    .contextWrite(writes.context())
                    .block(TIMEOUT);
            Long port = reading.queryOne(
                            Query.of("select current_setting('port')::bigint from written where id = $1", id),
                            row -> row.get(0, Long.class))
                    .contextWrite(ReadYourWrites.of(writes.token()).context())
                    .block(TIMEOUT);
            assertThat(port).as("round " + round).isNotNull();
            ports.add(port);
        }
        assertThat(ports).as("some replica had it in time").contains(port(one));
        write(shard, IDS.incrementAndGet()).block(TIMEOUT);
        assertThat(reading.queryOne(
                                Query.of("select exists (select from written where id = $1)", IDS.get()),
                                row -> row.get(0, Boolean.class))
                        .block(TIMEOUT))
                .as("without it the write is not there yet")
                .isFalse();
    }

    @Test
    void replicaThatDoesNotCatchUpIsLeft() {
        open();
        hold(one);
        hold(two);
        ReadYourWrites writes = ReadYourWrites.begin();
        write(shard, IDS.incrementAndGet()).contextWrite(writes.context()).block(TIMEOUT);
        assertThat(port(shard.reading(ReadPreference.preferReplica()))
                        .contextWrite(writes.context())
                        .block(TIMEOUT))
                .isEqualTo(port(primary));
        StepVerifier.create(port(shard.reading(ReadPreference.replica())).contextWrite(writes.context()))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(NoReplicaException.class)
                        .hasMessageContaining("has not applied the caller's last write"))
                .verify(TIMEOUT);
        assertThat(status(one).state()).as("it is not its fault").isEqualTo(NodeState.HEALTHY);
    }

    @Test
    void writeThatNobodyKnowsTheEndOfNeedsThePrimary() {
        open();
        ReadYourWrites writes = ReadYourWrites.begin();
        StepVerifier.create(shard.timeout(Duration.ofMillis(200))
                        .update(Query.of("select pg_sleep(10)"))
                        .contextWrite(writes.context()))
                .expectError()
                .verify(TIMEOUT);
        assertThat(writes.needsPrimary(S0)).isTrue();
        ReadYourWrites others = ReadYourWrites.begin();
        StepVerifier.create(shard.inTransaction(connection ->
                                Query.of("insert into written values (null)").update(connection))
                        .contextWrite(others.context()))
                .expectError(R2dbcException.class)
                .verify(TIMEOUT);
        assertThat(others.position(S0)).as("it is rolled back").isZero();
        StepVerifier.create(shard.withConnection(
                                connection -> Query.of("insert into written values ($1)", IDS.incrementAndGet())
                                        .update(connection)
                                        .then(Query.of("insert into written values (null)")
                                                .update(connection)))
                        .contextWrite(others.context()))
                .expectError(R2dbcException.class)
                .verify(TIMEOUT);
        assertThat(others.needsPrimary(S0))
                .as("the first statement has been done")
                .isTrue();
        StepVerifier.create(port(shard.reading(ReadPreference.replica())).contextWrite(writes.context()))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(NoReplicaException.class)
                        .hasMessageContaining("only the primary knows"))
                .verify(Duration.ofSeconds(5));
        assertThat(port(shard.reading(ReadPreference.preferReplica()))
                        .contextWrite(writes.context())
                        .block(TIMEOUT))
                .isEqualTo(port(primary));
    }

    @Test
    void writesOfEveryKindOfCallAreNoted() {
        open();
        List<Function<ReadYourWrites, Mono<?>>> calls = List.of(
                writes -> write(shard, IDS.incrementAndGet()),
                writes -> shard.batch(
                        "insert into written values ($1)", List.<Object[]>of(new Object[] {IDS.incrementAndGet()})),
                writes -> shard.queryOne(
                        Query.of("insert into written values ($1) returning id", IDS.incrementAndGet()),
                        row -> row.get(0, Long.class)),
                // A result that nobody reads, larger than what the driver holds.
                writes -> shard.withConnection(connection -> Mono.from(connection
                                .createStatement("insert into written select -" + IDS.incrementAndGet()
                                        + " * 10000 - n from generate_series(1, 2000) n returning id")
                                .execute())
                        .then(Mono.<Long>empty())),
                writes -> cluster.allShards().execute("insert into written values (" + IDS.incrementAndGet() + ")"),
                writes -> cluster.allShards()
                        .query(
                                Query.of("insert into written values ($1) returning id", IDS.incrementAndGet()),
                                row -> row.get(0, Long.class))
                        .then());
        for (Function<ReadYourWrites, Mono<?>> call : calls) {
            ReadYourWrites writes = ReadYourWrites.begin();
            call.apply(writes).contextWrite(writes.context()).block(TIMEOUT);
            assertThat(writes.position(S0)).isPositive().isNotEqualTo(ReadYourWrites.UNKNOWN);
        }
        ReadYourWrites none = ReadYourWrites.begin();
        ports(shard.reading(ReadPreference.preferReplica()), 1);
        port(shard.reading(ReadPreference.preferReplica()))
                .contextWrite(none.context())
                .block(TIMEOUT);
        assertThat(none.token()).isEmpty();
    }

    @Test
    void nodeWhoseCallsFailIsEjectedAndTriedAgain() throws Exception {
        open();
        ShardOperations reading = shard.reading(ReadPreference.preferReplica());
        ports(reading, 20);
        port(one);
        try (Connection admin = one.node().openSuperuserJdbc();
                Statement statement = admin.createStatement()) {
            // Nobody else comes in. The probes have their connection, and go on.
            one.network().refuse();
            statement.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = '" + APP + "'");
        }
        await("it is ejected", TIMEOUT, () -> {
            ports(reading, 10);
            return status(one).state() == NodeState.EJECTED;
        });
        assertThat(status(one).failures()).as("failed probes").isZero();
        assertThat(ports(reading, 50)).containsExactly(port(two));
        one.network().heal();
        await("it is used again", TIMEOUT, () -> ports(reading, 20).contains(port(one)));
        await("it is healthy", TIMEOUT, () -> {
            ports(reading, 10);
            return status(one).state() == NodeState.HEALTHY;
        });
    }

    @Test
    void ejectedReplicasAreTriedWhenThePrimaryIsGoneToo() throws Exception {
        cluster = builder(HEALTH)
                .failover(FailoverSettings.DEFAULTS.withMaxWait(Duration.ofMillis(200)))
                .build();
        shard = cluster.shard(S0);
        ShardOperations reading = shard.reading(ReadPreference.preferReplica());
        ports(reading, 20);
        List<Long> replicas = List.of(port(one), port(two));
        for (ShardServer replica : List.of(one, two)) {
            try (Connection admin = replica.node().openSuperuserJdbc();
                    Statement statement = admin.createStatement()) {
                replica.network().refuse();
                statement.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = '"
                        + APP + "'");
            }
        }
        primary.network().cut();
        await("the primary is lost", TIMEOUT, () -> status(primary).failures() >= HEALTH.failures());
        await("both replicas are ejected", TIMEOUT, () -> {
            Flux.range(0, 10).flatMap(read -> port(reading).onErrorComplete()).blockLast(TIMEOUT);
            return Stream.of(one, two).allMatch(replica -> status(replica).state() == NodeState.EJECTED);
        });
        assertThat(status(one).failures()).as("failed probes").isZero();
        one.network().heal();
        two.network().heal();
        assertThat(port(reading).block(TIMEOUT)).isIn(replicas);
        assertThatThrownBy(() -> write(shard, IDS.incrementAndGet()).block(TIMEOUT))
                .isInstanceOf(NoPrimaryException.class);
    }

    @Test
    @Tag("undisturbed")
    void slowReplicaIsHedgedByTheOther() {
        // The only probe of the other cluster has a second, which the first connection of a JVM can take.
        open();
        await(
                "both answer",
                TIMEOUT,
                () -> ports(shard.reading(ReadPreference.preferReplica()), 20).equals(Set.of(port(one), port(two))));
        cluster.close().block(TIMEOUT);
        // No probe tells that one is slow.
        cluster = builder(HEALTH.withInterval(Duration.ofHours(1))).build();
        shard = cluster.shard(S0);
        ShardOperations reading = shard.reading(ReadPreference.replica().withHedging(true));
        ports(reading, 400);
        assertThat(hedged).as("of a hundred at most the slowest").hasSizeLessThan(100);
        one.network().latency(Duration.ofSeconds(3));
        hedged.clear();
        AtomicInteger reads = new AtomicInteger();
        // As long as one is busy with what was taken from it, reads begin at two.
        await("a read that began at one has been answered by two", TIMEOUT, () -> {
            long start = System.nanoTime();
            assertThat(port(reading).block(TIMEOUT)).isEqualTo(port(two));
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
            return reads.incrementAndGet() >= 20
                    && hedged.stream()
                            .anyMatch(endpoint ->
                                    endpoint.endsWith(":" + two.node().port()));
        });
    }

    @Test
    void replicaThatFollowsNobodyAnyMoreIsNotReadFrom() {
        try (EmbeddedShards servers = EmbeddedShards.builder(1)
                .replicas(2)
                .initSql("create table written (id bigint primary key)")
                .start()) {
            cluster = ShardCluster.builder()
                    .shard(Shard.named("s0")
                            .primary(servers.server(0).node().r2dbcUrl())
                            .replica(servers.server(0, 1).node().r2dbcUrl())
                            .replica(servers.server(0, 2).node().r2dbcUrl()))
                    .health(HEALTH)
                    .build();
            shard = cluster.shard(S0);
            ShardOperations reading = shard.reading(ReadPreference.preferReplica());
            await("both are read from", TIMEOUT, () -> ports(reading, 20).size() == 2);
            servers.server(0).kill();
            servers.server(0, 1).promote();
            write(shard, 1).block(TIMEOUT);
            assertThat(ports(reading, 20)).as("%s", cluster.status()).containsExactly(port(servers.server(0, 1)));
            servers.server(0, 2).follow(servers.server(0, 1));
            await("it follows", TIMEOUT, () -> ports(reading, 20).contains(port(servers.server(0, 2))));
            cluster.close().block(TIMEOUT);
            cluster = null;
        }
    }

    private void open() {
        cluster = builder(HEALTH).build();
        shard = cluster.shard(S0);
        shard.update(Query.of("select 1")).block(TIMEOUT);
    }

    private ShardCluster.Builder builder(HealthSettings health) {
        return ShardCluster.builder()
                .shard(Shard.named("s0")
                        .primary(primary.node().r2dbcUrl())
                        .replica(one.node().r2dbcUrl())
                        .replica(two.node().r2dbcUrl()))
                .connection(ConnectionSettings.DEFAULTS.withApplicationName(APP))
                .listener(new ClusterListener() {
                    @Override
                    public void hedged(NodeId node) {
                        hedged.add(node.endpoint());
                    }

                    @Override
                    public void retried(NodeId node, int count, Throwable cause) {
                        retried.add(cause);
                    }
                })
                .health(health);
    }

    /** Lets a replica apply no commit any more: not all of its processes have read the setting at the same time. */
    private void hold(ShardServer replica) {
        replica.replicationDelay(Duration.ofMinutes(5));
        await("it holds commits", TIMEOUT, () -> {
            write(shard, IDS.incrementAndGet()).block(TIMEOUT);
            return replica.node()
                            .number("select count(*) from pg_stat_activity where wait_event = 'RecoveryApplyDelay'")
                    == 1;
        });
    }

    private NodeStatus status(ShardServer server) {
        return cluster.status().shards().get(0).nodes().stream()
                .filter(node ->
                        node.node().endpoint().endsWith(":" + server.node().port()))
                .findFirst()
                .orElseThrow();
    }

    private static Mono<Long> write(ShardOperations shard, long id) {
        return shard.update(Query.of("insert into written values ($1)", id));
    }

    private static Mono<Long> port(ShardOperations shard) {
        return shard.queryOne(PORT, row -> row.get(0, Long.class));
    }

    /** Returns the servers that answer so many reads, four at a time. */
    private static Set<Long> ports(ShardOperations shard, int reads) {
        return Set.copyOf(Flux.range(0, reads)
                .flatMap(read -> port(shard), 4)
                .collectList()
                .block(TIMEOUT));
    }

    /** Of the server itself, not of the network before it. */
    private static long port(ShardServer server) {
        return PORTS.computeIfAbsent(server, asked -> asked.node().number("select current_setting('port')::bigint"));
    }
}
