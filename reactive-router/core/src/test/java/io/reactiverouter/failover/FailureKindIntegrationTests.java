package io.reactiverouter.failover;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.await;
import static io.reactiverouter.failover.FailureKind.BROKEN;
import static io.reactiverouter.failover.FailureKind.CONFLICT;
import static io.reactiverouter.failover.FailureKind.OTHER;
import static io.reactiverouter.failover.FailureKind.READ_ONLY;
import static io.reactiverouter.failover.FailureKind.REFUSED;
import static org.assertj.core.api.Assertions.assertThat;

import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardOperations;
import io.reactiverouter.TransactionOptions;
import io.reactiverouter.connection.ConnectionSettings;
import io.reactiverouter.test.EmbeddedShards;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardServer;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.assertj.core.api.ThrowingConsumer;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** Each row of the README's table of errors, provoked on a server. */
@NullUnmarked
class FailureKindIntegrationTests {

    private static final String APP = "failure-kinds";
    private static final String UNDER_WAY =
            "from pg_stat_activity where application_name = '" + APP + "' and query like '%pg_sleep%'";

    @AutoClose
    private static final EmbeddedShards SERVERS = EmbeddedShards.builder(1)
            .networks()
            .initSql("create table written (id bigint primary key)")
            .start();

    private final ShardServer server = SERVERS.server(0);
    private final ShardNode node = server.node();
    private ShardCluster cluster;
    private ShardOperations shard;

    @BeforeEach
    void open() {
        awaitStart();
        // A statement whose client is gone goes on until it would send something.
        await(
                "nothing is left of the test before",
                TIMEOUT,
                () -> node.number("select count(*) from (select pg_terminate_backend(pid) " + UNDER_WAY + ") ended")
                        == 0);
        node.execute("truncate written");
        cluster = ShardCluster.builder()
                .shard(Shard.named("s0").primary(node.r2dbcUrl()))
                .connection(ConnectionSettings.DEFAULTS.withApplicationName(APP))
                .failover(FailoverSettings.DEFAULTS.withMaxWait(Duration.ZERO))
                .build();
        shard = cluster.shard(ShardId.of("s0"));
    }

    @AfterEach
    void close() {
        cluster.close().block(TIMEOUT);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    insert into written values (1), (1) | 23505 | OTHER
                    insert into written values (null)   | 23502 | OTHER
                    select * from nowhere               | 42P01 | OTHER
                    selec                               | 42601 | OTHER
                    select * from pg_authid             | 42501 | OTHER
                    select 1 / 0                        | 22012 | OTHER
                    """)
    void answersOfTheServer(String sql, String state, FailureKind kind) {
        assertThat(errorOf(() -> shard.update(Query.of(sql)).toFuture())).satisfies(is(state, kind));
    }

    @Test
    void readOnlyTransaction() {
        assertThat(errorOf(() -> shard.inTransaction(
                                TransactionOptions.DEFAULTS.withReadOnly(true),
                                connection -> Query.of("insert into written values (1)")
                                        .update(connection))
                        .toFuture()))
                .satisfies(is("25006", READ_ONLY));
    }

    @Test
    void cancelledStatement() {
        CompletableFuture<Long> sleeping = sleeping();
        node.number("select count(pg_cancel_backend(pid)) " + UNDER_WAY);
        assertThat(errorOf(() -> sleeping)).satisfies(is("57014", OTHER));
    }

    @Test
    void lockThatIsNotToBeHadInTime() throws Exception {
        try (Connection other = holding("insert into written values (7)")) {
            assertThat(other.isClosed()).isFalse();
            assertThat(errorOf(() -> shard.inTransaction(connection -> Query.of("set local lock_timeout = 50")
                                    .update(connection)
                                    .then(Query.of("insert into written values (7)")
                                            .update(connection)))
                            .toFuture()))
                    .satisfies(is("55P03", OTHER));
        }
    }

    @Test
    void deadlock() throws Exception {
        node.execute("insert into written values (1), (2)");
        try (Connection other = holding("delete from written where id = 1")) {
            CompletableFuture<Long> ours = shard.inTransaction(connection -> Query.of(
                                    "delete from written where id = 2")
                            .update(connection)
                            .then(Query.of("delete from written where id = 1").update(connection)))
                    .toFuture();
            await("it waits", TIMEOUT, () -> node.number("select count(*) from pg_locks where not granted") == 1);
            CompletableFuture<Void> theirs = CompletableFuture.runAsync(() -> {
                try (var statement = other.createStatement()) {
                    statement.execute("set local deadlock_timeout = '20s'");
                    statement.execute("delete from written where id = 2");
                } catch (SQLException e) {
                    throw new IllegalStateException(e);
                }
            });
            assertThat(errorOf(() -> ours)).satisfies(is("40P01", CONFLICT));
            assertThat(theirs).succeedsWithin(TIMEOUT);
        }
    }

    @Test
    void serializationFailure() throws Exception {
        node.execute("insert into written values (1)");
        assertThat(errorOf(() -> shard.inTransaction(
                                TransactionOptions.DEFAULTS.withIsolation(IsolationLevel.REPEATABLE_READ),
                                connection -> Query.of("select id from written")
                                        .fetch(connection, row -> row.get(0, Long.class))
                                        .then(Mono.fromRunnable(() -> node.execute("update written set id = 2"))
                                                .subscribeOn(Schedulers.boundedElastic()))
                                        .then(Query.of("update written set id = 3")
                                                .update(connection)))
                        .toFuture()))
                .satisfies(is("40001", CONFLICT));
    }

    @Test
    void connectionThatTheServerEnds() {
        CompletableFuture<Long> sleeping = sleeping();
        node.number("select count(pg_terminate_backend(pid)) " + UNDER_WAY);
        assertThat(errorOf(() -> sleeping)).satisfies(is("57P01", BROKEN));
    }

    @Test
    void crashOfAnotherServerProcess() throws Exception {
        CompletableFuture<Long> sleeping = sleeping();
        try (Connection victim = node.openJdbc();
                var statement = victim.createStatement();
                var result = statement.executeQuery("select pg_backend_pid()")) {
            result.next();
            process(result.getLong(1)).destroyForcibly();
        }
        // PostgreSQL sends 57P02 as a warning only, and closes the connection.
        assertThat(errorOf(() -> sleeping)).satisfies(is("08006", BROKEN));
        awaitStart();
    }

    @Test
    void networkThatBreaks() {
        CompletableFuture<Long> sleeping = sleeping();
        server.network().reset();
        assertThat(errorOf(() -> sleeping)).satisfies(is("08006", BROKEN));
    }

    @Test
    void serverThatIsNotThere() {
        server.kill();
        assertThat(errorOf(() -> shard.update(Query.of("select 1")).toFuture()))
                .satisfies(error -> assertThat(FailureKind.of(error)).isEqualTo(REFUSED));
        server.start();
    }

    @Test
    void roleThatHasNoConnectionLeft() throws Exception {
        limitConnections(0);
        try {
            assertThat(errorOf(() -> shard.update(Query.of("select 1")).toFuture()))
                    .satisfies(is("53300", REFUSED));
        } finally {
            limitConnections(-1);
        }
    }

    private void limitConnections(int limit) throws SQLException {
        try (Connection superuser = node.openSuperuserJdbc();
                var statement = superuser.createStatement()) {
            statement.execute("alter role " + node.username() + " connection limit " + limit);
        }
    }

    @Test
    void serverThatShutsDown() throws Exception {
        // Smart shutdown: who is there may stay, nobody else comes in.
        try (Connection there = node.openJdbc();
                var statement = there.createStatement();
                var result = statement.executeQuery("select pg_backend_pid()")) {
            result.next();
            process(result.getLong(1)).parent().orElseThrow().destroy();
            await("nobody comes in", TIMEOUT, () -> {
                try (Connection another = node.openJdbc()) {
                    return another.isClosed();
                } catch (SQLException e) {
                    return e.getSQLState().equals("57P03");
                }
            });
            assertThat(errorOf(() -> shard.update(Query.of("select 1")).toFuture()))
                    .satisfies(is("57P03", REFUSED));
        }
        server.kill();
        server.start();
    }

    private void awaitStart() {
        await("it is there again", TIMEOUT, () -> {
            try (Connection another = node.openJdbc()) {
                return another.isValid(1);
            } catch (SQLException e) {
                return false;
            }
        });
    }

    private CompletableFuture<Long> sleeping() {
        CompletableFuture<Long> sleeping =
                shard.update(Query.of("select pg_sleep(30)")).toFuture();
        await("it is under way", TIMEOUT, () -> node.number("select count(*) " + UNDER_WAY) == 1);
        return sleeping;
    }

    private Connection holding(String sql) throws SQLException {
        Connection connection = node.openSuperuserJdbc();
        connection.setAutoCommit(false);
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
        return connection;
    }

    private static ProcessHandle process(long pid) {
        return ProcessHandle.of(pid).orElseThrow();
    }

    private static Throwable errorOf(Supplier<CompletableFuture<Long>> call) {
        try {
            Long answer = call.get().get(20, TimeUnit.SECONDS);
            throw new AssertionError("it answered " + answer);
        } catch (ExecutionException e) {
            return e.getCause();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static ThrowingConsumer<Throwable> is(String state, FailureKind kind) {
        return error -> {
            assertThat(error).isInstanceOf(R2dbcException.class);
            assertThat(((R2dbcException) error).getSqlState()).isEqualTo(state);
            assertThat(FailureKind.of(error)).isEqualTo(kind);
        };
    }
}
