package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.acquired;
import static io.reactiverouter.TestClusters.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.r2dbc.spi.Connection;
import io.reactiverouter.connection.CallTimeoutException;
import io.reactiverouter.connection.CallTimeoutException.Consequence;
import io.reactiverouter.connection.Deadline;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.failover.FailoverSettings;
import io.reactiverouter.test.EmbeddedShards;
import io.reactiverouter.test.ShardServer;
import io.reactiverouter.topology.ShardId;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;

/** Deadlines of calls to a server that is slow, out of reach or down. */
@NullUnmarked
class DeadlineFaultsIntegrationTests {

    private static final String APP = "deadline-fault-tests";
    private static final Query SHOW = Query.of("show statement_timeout");
    private static final Query SLEEP = Query.of("select pg_sleep(60)");
    private static final Duration LONG = Duration.ofSeconds(28);

    private static EmbeddedShards servers;
    private static ShardServer server;

    private ShardCluster cluster;
    private ShardOperations shard;

    @BeforeAll
    static void start() {
        servers = EmbeddedShards.builder(1).networks().start();
        server = servers.server(0);
    }

    @AfterEach
    void close() {
        server.network().heal();
        if (!server.running()) {
            server.start();
        }
        cluster.close().block(TIMEOUT);
    }

    @AfterAll
    static void stop() {
        servers.close();
    }

    /** Without a limit of its own it would sleep for a minute: it does not notice that its client has gone. */
    @Test
    void serverEndsTheStatementWhenNoCancelReachesIt() throws SQLException {
        open();
        try (java.sql.Connection watcher = server.node().openJdbc();
                PreparedStatement sleeping = watcher.prepareStatement(
                        "select count(*) from pg_stat_activity where query like '%pg_sleep(60)%' and state = 'active'"
                                + " and pid <> pg_backend_pid()")) {
            CompletableFuture<Long> call = shard.update(SLEEP)
                    .contextWrite(Deadline.within(Duration.ofSeconds(1)))
                    .toFuture();
            await("it runs", TIMEOUT, () -> number(sleeping) == 1);
            // Open connections, as the watcher's, go on.
            server.network().refuse();

            assertThat(call).failsWithin(TIMEOUT);
            await("it has ended", Duration.ofSeconds(10), () -> number(sleeping) == 0);
        }
    }

    private static long number(PreparedStatement query) {
        try (ResultSet result = query.executeQuery()) {
            result.next();
            return result.getLong(1);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void cancelWhileTheLimitIsSetLeavesItRight() {
        open();
        server.network().latency(Duration.ofMillis(30));
        for (int i = 0; i < 3; i++) {
            Disposable cancelled = show().contextWrite(Deadline.within(LONG)).subscribe(value -> {}, error -> {});
            await("it is on its way", TIMEOUT, () -> acquired(cluster) == 1);
            cancelled.dispose();
            assertThat(show().block(TIMEOUT)).isEqualTo("0");
            assertThat(show().contextWrite(Deadline.within(LONG)).block(TIMEOUT))
                    .isEqualTo("28672ms");
            Disposable alsoCancelled = show().subscribe(value -> {}, error -> {});
            await("it is on its way", TIMEOUT, () -> acquired(cluster) == 1);
            alsoCancelled.dispose();
            assertThat(show().contextWrite(Deadline.within(LONG)).block(TIMEOUT))
                    .isEqualTo("28672ms");
            assertThat(show().block(TIMEOUT)).isEqualTo("0");
        }
    }

    @ParameterizedTest
    @MethodSource("calls")
    void callThatIsLateWhileTheLimitIsSetHasNotRun(Function<ShardOperations, Mono<?>> call) {
        open();
        // An answer takes 120 ms.
        server.network().latency(Duration.ofMillis(60));

        assertNotRun(call.apply(shard), Duration.ofMillis(80));

        await("the connection is back", TIMEOUT, () -> acquired(cluster) == 0);
        server.network().heal();
        assertThat(show().block(TIMEOUT)).isEqualTo("0");
    }

    @ParameterizedTest
    @MethodSource("calls")
    void waitForAPrimaryEndsAtTheDeadline(Function<ShardOperations, Mono<?>> call) {
        open();
        server.kill();

        assertNotRun(call.apply(shard), Duration.ofMillis(700));
    }

    @ParameterizedTest
    @MethodSource("calls")
    void connectionThatHasDiedMeanwhileIsReplacedWithinTheDeadline(Function<ShardOperations, Mono<?>> call) {
        open();
        server.kill();
        server.start();

        assertThat(call.apply(shard)
                        .thenReturn(true)
                        .contextWrite(Deadline.within(LONG))
                        .block(TIMEOUT))
                .isTrue();
    }

    static Stream<Arguments> calls() {
        return Stream.of(
                call("query", on -> on.queryOne(SHOW, row -> 1)),
                call("inTransaction", on -> on.inTransaction(SHOW::update)),
                call(
                        "connection",
                        on -> Mono.usingWhen(on.connection(), Mono::just, Connection::close)
                                .hasElement()));
    }

    private static Arguments call(String name, Function<ShardOperations, Mono<?>> call) {
        return Arguments.argumentSet(name, call);
    }

    private static void assertNotRun(Mono<?> call, Duration limit) {
        StepVerifier.create(call.contextWrite(Deadline.within(limit)))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOfSatisfying(
                                CallTimeoutException.class,
                                late -> assertThat(late.consequence()).isEqualTo(Consequence.NOT_RUN)))
                .verify(Duration.ofSeconds(5));
    }

    private Mono<String> show() {
        return shard.queryOne(SHOW, row -> row.get(0, String.class));
    }

    private void open() {
        cluster = TestClusters.over(servers, APP)
                .pool(PoolSettings.DEFAULTS.withMaxSize(1).withAcquireTimeout(Duration.ofSeconds(15)))
                .failover(FailoverSettings.DEFAULTS.withMaxWait(Duration.ofSeconds(15)))
                .build();
        shard = cluster.shard(ShardId.of("s0"));
        shard.update(Query.of("select 1")).block(TIMEOUT);
    }
}
