package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.acquired;
import static io.reactiverouter.TestClusters.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.connection.CallTimeoutException;
import io.reactiverouter.connection.ClusterClosedException;
import io.reactiverouter.connection.ConnectionSettings;
import io.reactiverouter.connection.PoolExhaustedException;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.connection.SharedSettings;
import io.reactiverouter.test.EmbeddedShards;
import io.reactiverouter.test.ShardServer;
import io.reactiverouter.topology.ReadPreference;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** Statements that share connections. */
@NullUnmarked
class SharedIntegrationTests {

    private static final String APP = "shared-tests";
    private static final SharedSettings SETTINGS = new SharedSettings(3, Duration.ofMillis(400));
    private static final Query PID = Query.of("select pg_backend_pid()");

    private static EmbeddedShards servers;
    private static ShardServer server;

    private ShardCluster cluster;
    private ShardOperations shared;

    @BeforeAll
    static void start() {
        servers = EmbeddedShards.builder(1)
                .replicas(1)
                .networks()
                .initSql("create table notes (id int primary key, body text)")
                .start();
        server = servers.server(0);
    }

    @AfterEach
    void close() {
        server.network().heal();
        if (cluster != null) {
            cluster.close().block(TIMEOUT);
            await("none of its connections is left", TIMEOUT, () -> number("select count(*)") == 0);
        }
    }

    @AfterAll
    static void stop() {
        servers.close();
    }

    private void open(PoolSettings pool) {
        cluster = ShardCluster.builder()
                .pool(pool)
                .shared(SETTINGS)
                .connection(ConnectionSettings.DEFAULTS.withApplicationName(APP))
                .shard(Shard.named("s0")
                        .primary(server.node().r2dbcUrl())
                        .replica(servers.servers(0).get(1).node().r2dbcUrl()))
                .build();
        shared = cluster.shard(ShardId.of("s0")).shared();
    }

    private void open() {
        open(PoolSettings.DEFAULTS);
    }

    /** Of the sessions of the cluster on the primary. */
    private static long number(String select) {
        try (java.sql.Connection connection = server.node().openJdbc();
                PreparedStatement statement = connection.prepareStatement(
                        select + " from pg_stat_activity where application_name = '" + APP + "'");
                ResultSet rows = statement.executeQuery()) {
            rows.next();
            return rows.getLong(1);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private Mono<Integer> pid() {
        return shared.queryOne(PID, row -> row.get(0, Integer.class));
    }

    private Mono<String> echo(String value) {
        return shared.queryOne(Query.of("select $1::text", value), row -> row.get(0, String.class));
    }

    @Test
    void fewConnectionsDoForMany() {
        open();
        Set<Integer> pids = new HashSet<>(
                Flux.range(0, 600).flatMap(i -> pid(), 600).collectList().block(TIMEOUT));
        assertThat(pids).hasSize(SETTINGS.connections());
        assertThat(number("select count(*)")).isEqualTo(SETTINGS.connections());
    }

    @Test
    void oneAfterAnotherTakesOneConnection() {
        open();
        assertThat(Flux.range(0, 50)
                        .concatMap(i -> pid())
                        .distinct()
                        .collectList()
                        .block(TIMEOUT))
                .hasSize(1);
    }

    @Test
    void writesAndRowsAsWithoutSharing() {
        open();
        assertThat(shared.update(Query.of("insert into notes select n, 'a' from generate_series(1, 20) n"))
                        .block(TIMEOUT))
                .isEqualTo(20);
        assertThat(shared.query(
                                Query.of("select id from notes where id > $1 order by id", 15),
                                row -> row.get(0, Integer.class))
                        .collectList()
                        .block(TIMEOUT))
                .containsExactly(16, 17, 18, 19, 20);
        assertThat(shared.queryOne(Query.of("select id from notes where id = 99"), row -> row.get(0, Integer.class))
                        .blockOptional(TIMEOUT))
                .isEmpty();
        assertThatThrownBy(() -> shared.queryOne(Query.of("select id from notes"), row -> row.get(0, Integer.class))
                        .block(TIMEOUT))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThat(shared.update(Query.of("delete from notes")).block(TIMEOUT)).isEqualTo(20);
    }

    /** Each gets its own answer and its own error, whoever leaves or fails beside it. */
    @Test
    void neighboursDoNotHarmEachOther() {
        open();
        SplittableRandom random = new SplittableRandom(17);
        AtomicInteger failed = new AtomicInteger();
        AtomicInteger left = new AtomicInteger();
        AtomicInteger answered = new AtomicInteger();
        Flux.range(0, 6_000)
                .flatMap(
                        i -> {
                            int kind = random.nextInt(10);
                            if (kind == 0) {
                                return shared.queryOne(
                                                Query.of("select 1 / $1::int", 0), row -> row.get(0, Integer.class))
                                        .then(Mono.<Integer>error(new AssertionError("divided by zero")))
                                        .onErrorResume(R2dbcException.class, error -> {
                                            assertThat(error.getSqlState()).isEqualTo("22012");
                                            failed.incrementAndGet();
                                            return Mono.empty();
                                        });
                            }
                            String nonce = UUID.randomUUID().toString();
                            if (kind == 1) {
                                return echo(nonce)
                                        .timeout(
                                                Duration.ofNanos(random.nextLong(2_000_000)),
                                                Mono.fromRunnable(left::incrementAndGet))
                                        .doOnNext(answer -> assertThat(answer).isEqualTo(nonce))
                                        .then(Mono.<Integer>empty());
                            }
                            return echo(nonce)
                                    .doOnNext(answer -> {
                                        assertThat(answer).isEqualTo(nonce);
                                        answered.incrementAndGet();
                                    })
                                    .then(Mono.<Integer>empty());
                        },
                        200)
                .blockLast(TIMEOUT);
        assertThat(failed).hasValueGreaterThan(400);
        assertThat(left).hasValueGreaterThan(50);
        assertThat(answered).hasValueGreaterThan(4_400);
        assertThat(number("select count(*)")).as("none was closed for it").isEqualTo(SETTINGS.connections());
    }

    @Test
    void slowStatementIsEndedByTheServer() {
        open();
        long begun = System.nanoTime();
        for (int i = 0; i < SETTINGS.connections(); i++) {
            shared.update(Query.of("select pg_sleep(30)")).onErrorComplete().subscribe();
        }
        List<CompletableFuture<Integer>> behind =
                IntStream.range(0, 30).mapToObj(i -> pid().toFuture()).toList();
        assertThatThrownBy(() -> shared.update(Query.of("select pg_sleep(30)")).block(TIMEOUT))
                .isInstanceOfSatisfying(
                        R2dbcException.class,
                        error -> assertThat(error.getSqlState()).isEqualTo("57014"));
        assertThat(behind).allSatisfy(answer -> assertThat(answer.join()).isPositive());
        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(8));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "begin",
                "select 1; begin",
                "select 1; select 2",
                "commit",
                "set work_mem = '1MB'",
                "select set_config('work_mem', '1MB', false)",
                "select pg_advisory_lock(1)",
                "create temp table t (i int)",
                "create table t (i int)",
                "listen x",
                "prepare transaction 'x'",
                "copy notes from stdin",
                "vacuum",
                "/* select */ do $$ begin end $$",
                "select 1 /* ; */ ; -- x\n commit"
            })
    void whatLeavesSomethingBehindIsRefused(String sql) {
        open();
        assertThatThrownBy(() -> shared.update(Query.of(sql)).block(TIMEOUT))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(sql)
                .hasMessageContaining("without shared()");
        assertThat(pid().block(TIMEOUT)).isPositive();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "select 1;",
                " (select 1) ; -- select 2; begin",
                "with x as (select 1 as i) select i from x",
                "values (1)",
                "select ';begin;'",
                "select $a$;begin$a$"
            })
    void whatLooksAlikeIsNot(String sql) {
        open();
        shared.query(Query.of(sql), row -> 1).blockLast(TIMEOUT);
    }

    @Test
    void manyRowsAreRefused() {
        open();
        Query rows = Query.of("select n from generate_series(1, $1) n", 1_024);
        assertThat(shared.query(rows, row -> row.get(0, Integer.class)).count().block(TIMEOUT))
                .isEqualTo(1_024);
        assertThatThrownBy(() -> shared.query(
                                Query.of("select n from generate_series(1, $1) n", 100_000),
                                row -> row.get(0, Integer.class))
                        .blockLast(TIMEOUT))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("1024 rows")
                .hasMessageContaining("without shared()");
        assertThat(pid().block(TIMEOUT)).isPositive();
    }

    @Test
    void queueIsLimited() {
        open();
        AtomicInteger refused = new AtomicInteger();
        AtomicInteger ended = new AtomicInteger();
        Query sleep = Query.of("select pg_sleep($1)", 0.01);
        for (int i = 0; i < 1_000; i++) {
            shared.update(sleep).doFinally(end -> ended.incrementAndGet()).subscribe(null, error -> {
                assertThat(error).isInstanceOf(PoolExhaustedException.class).hasMessageContaining("250");
                refused.incrementAndGet();
            });
        }
        await("all have ended", TIMEOUT, () -> ended.get() == 1_000);
        assertThat(refused).hasValue(1_000 - 3 * 250);
        assertThat(pid().block(TIMEOUT)).isPositive();
    }

    @Test
    void connectionThatBreaksIsReplaced() {
        open();
        Integer before = pid().block(TIMEOUT);
        CompletableFuture<Long> under =
                shared.update(Query.of("select pg_sleep(0.3)")).toFuture();
        await("it runs", TIMEOUT, () -> number("select count(*) filter (where state = 'active')") == 1);
        number("select count(pg_terminate_backend(pid))");

        assertThatThrownBy(under::join).hasRootCauseInstanceOf(R2dbcException.class);
        Integer after = pid().retry(3).block(TIMEOUT);
        assertThat(after).isNotEqualTo(before);
    }

    /** A server that answers nothing any more does not keep a connection, and those behind it, for ever. */
    @Test
    void silentConnectionIsCut() {
        open();
        pid().block(TIMEOUT);
        server.network().halfOpen();
        CompletableFuture<Integer> waits = pid().toFuture();
        assertThatThrownBy(() -> cluster.shard(ShardId.of("s0"))
                        .shared()
                        .timeout(Duration.ofMillis(300))
                        .queryOne(PID, row -> 1)
                        .block(TIMEOUT))
                .isInstanceOf(CallTimeoutException.class);
        assertThatThrownBy(waits::join).as("the connection is cut").hasRootCauseInstanceOf(R2dbcException.class);
        server.network().heal();
        await(
                "it is replaced",
                TIMEOUT,
                () -> Boolean.TRUE.equals(
                        pid().map(pid -> true).onErrorReturn(false).block(TIMEOUT)));
    }

    @Test
    void connectionIsReplacedAfterItsLifetimeAndNothingFails() {
        open(PoolSettings.DEFAULTS.withMaxLifetime(Duration.ofMillis(150)));
        Set<Integer> pids = new HashSet<>(Flux.range(0, 4_000)
                .flatMap(i -> pid().subscribeOn(Schedulers.parallel()), 20)
                .delayUntil(i -> Mono.delay(Duration.ofNanos(100_000)))
                .collectList()
                .block(TIMEOUT));
        assertThat(pids).hasSizeGreaterThan(5);
        await("old ones are closed", TIMEOUT, () -> number("select count(*)") <= SETTINGS.connections());
    }

    @Test
    void transactionIsJoined() {
        open();
        ShardOperations shard = cluster.shard(ShardId.of("s0"));
        Long seen = shard.inTransaction(connection -> Query.of("insert into notes values (1000, 'mine')")
                        .update(connection)
                        .then(shard.shared()
                                .queryOne(
                                        Query.of("select count(*) from notes where id = 1000"),
                                        row -> row.get(0, Long.class)))
                        .flatMap(count -> Query.of("delete from notes where id = 1000")
                                .update(connection)
                                .thenReturn(Objects.requireNonNull(count))))
                .block(TIMEOUT);
        assertThat(seen).isEqualTo(1);
    }

    @Test
    void replicasAreReadLikewise() {
        open();
        assertThat(shared.reading(ReadPreference.replica())
                        .queryOne(Query.of("select pg_is_in_recovery()"), row -> row.get(0, Boolean.class))
                        .block(TIMEOUT))
                .isTrue();
        assertThat(acquired(cluster)).isZero();
    }

    @Test
    void closeLetsThemEnd() {
        open();
        CompletableFuture<Integer> under = shared.queryOne(
                        Query.of("select 1 from pg_sleep(0.3)"), row -> row.get(0, Integer.class))
                .toFuture();
        await("it runs", TIMEOUT, () -> number("select count(*) filter (where state = 'active')") == 1);
        cluster.close().block(TIMEOUT);
        assertThat(under.join()).isEqualTo(1);
        assertThatThrownBy(() -> pid().block(TIMEOUT)).isInstanceOf(ClusterClosedException.class);
    }

    @Test
    void whoLeavesBeforeTheConnectionIsThereLosesNothing() {
        open();
        for (int i = 0; i < 20; i++) {
            Disposable call = pid().subscribe();
            call.dispose();
        }
        assertThat(pid().block(TIMEOUT)).isPositive();
        assertThat(number("select count(*)")).isLessThanOrEqualTo(SETTINGS.connections());
    }
}
