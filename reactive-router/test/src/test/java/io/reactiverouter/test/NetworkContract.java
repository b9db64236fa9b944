package io.reactiverouter.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.net.ConnectException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;

/** Networks before real servers, wherever those run. */
@Tag("undisturbed")
@TestInstance(Lifecycle.PER_CLASS)
abstract class NetworkContract {

    private static final Duration SHORT = Duration.ofMillis(300);

    @AutoClose
    private final ShardServers shards;

    NetworkContract(ServersUnderTest kit) {
        shards = kit.withReplicaAndNetworks("create table t (id bigint)");
    }

    @AfterEach
    void heal() {
        shards.servers(0).forEach(server -> {
            server.network().heal();
            server.start();
        });
        node().execute("truncate t");
    }

    @Test
    void clientsPassThroughUnharmed() throws Exception {
        awaitNoConnection();
        try (Connection connection = node().openJdbc();
                Statement statement = connection.createStatement()) {
            assertThat(network().connections()).isEqualTo(1);
            statement.execute("insert into t select generate_series(1, 200000)");
            long sum = 0;
            try (var rows = statement.executeQuery("select id, repeat('x', 50) from t")) {
                while (rows.next()) {
                    sum += rows.getLong(1);
                }
            }
            assertThat(sum).isEqualTo(200_000L * 200_001 / 2);
        }
        awaitNoConnection();
    }

    @Test
    void latencyAndJitterCountForEachWay() throws Exception {
        try (Connection connection = node().openJdbc()) {
            network().latency(Duration.ofMillis(50));
            assertThat(roundTrip(connection)).isBetween(Duration.ofMillis(100), Duration.ofMillis(400));

            network().jitter(Duration.ofMillis(100));
            Duration least = Duration.ofDays(1);
            Duration most = Duration.ZERO;
            for (int i = 0; i < 20; i++) {
                Duration took = roundTrip(connection);
                least = took.compareTo(least) < 0 ? took : least;
                most = took.compareTo(most) > 0 ? took : most;
            }
            assertThat(least).isGreaterThanOrEqualTo(Duration.ofMillis(100));
            assertThat(most.minus(least)).isGreaterThan(Duration.ofMillis(30));

            network().heal();
            assertThat(roundTrip(connection)).isLessThan(Duration.ofMillis(90));
        }
    }

    @Test
    void bandwidthIsALimit() throws Exception {
        try (Connection connection = node().openJdbc();
                Statement statement = connection.createStatement()) {
            network().bandwidth(1_000_000);
            long start = System.nanoTime();
            statement
                    .executeQuery("select repeat('x', 1000) from generate_series(1, 1000)")
                    .close();
            assertThat(Duration.ofNanos(System.nanoTime() - start))
                    .isBetween(Duration.ofMillis(950), Duration.ofMillis(2000));
        }
    }

    @Test
    void cutNetworkKeepsEverythingWaitingUntilItIsHealed() throws Exception {
        try (Connection connection = node().openJdbc()) {
            network().cut();
            CompletableFuture<Void> waiting =
                    CompletableFuture.runAsync(() -> execute(connection, "insert into t values (1)"));
            CompletableFuture<Void> newcomer =
                    CompletableFuture.runAsync(() -> node().execute("insert into t values (2)"));
            LockSupport.parkNanos(SHORT.toNanos());
            assertThat(waiting).isNotDone();
            assertThat(newcomer).isNotDone();

            network().heal();

            waiting.get(10, TimeUnit.SECONDS);
            newcomer.get(10, TimeUnit.SECONDS);
            assertThat(node().number("select count(*) from t")).isEqualTo(2);
        }
    }

    @Test
    void clientThatLeavesACutNetworkIsNotNoticedByTheServer() throws Exception {
        awaitNoConnection();
        try (Connection connection =
                DriverManager.getConnection(node().jdbcUrl() + "&ApplicationName=leaves&socketTimeout=1")) {
            network().cut();
            assertThatExceptionOfType(SQLException.class)
                    .isThrownBy(() -> connection.createStatement().execute("insert into t values (1)"));
        }
        ShardServer replica = shards.server(0, 1);
        assertThat(replica.node().number("select 1"))
                .as("its network is its own")
                .isEqualTo(1);
        assertThat(network().connections()).isEqualTo(1);

        network().heal();

        awaitNoConnection();
        await(() -> node().number("select count(*) from pg_stat_activity where application_name = 'leaves'") == 0);
        // It was sent, so it has its effect, late.
        assertThat(node().number("select count(*) from t")).isEqualTo(1);
    }

    @Test
    void halfOpenNetworkLetsStatementsThroughAndNoAnswers() throws Exception {
        try (Connection watcher = node().openJdbc();
                Connection connection = node().openJdbc()) {
            network().halfOpen();
            CompletableFuture<Void> waiting =
                    CompletableFuture.runAsync(() -> execute(connection, "insert into t values (1)"));
            LockSupport.parkNanos(SHORT.toNanos());
            assertThat(waiting).isNotDone();
            ShardServer replica = shards.server(0, 1);
            await(() -> replica.node().number("select count(*) from t") == 1);

            network().heal();

            waiting.get(10, TimeUnit.SECONDS);
            assertThat(watcher.isValid(1)).isTrue();
        }
    }

    @Test
    void refusedConnectionsAreRefusedAndOpenOnesGoOn() throws Exception {
        try (Connection connection = node().openJdbc()) {
            network().refuse();
            assertRefused();
            execute(connection, "insert into t values (1)");

            network().heal();
            node().execute("insert into t values (2)");
        }
    }

    @Test
    void resetBreaksOpenConnectionsOnly() throws Exception {
        try (Connection connection = node().openJdbc()) {
            network().reset();
            assertThatExceptionOfType(CompletionException.class)
                    .isThrownBy(() -> execute(connection, "select 1"))
                    .withRootCauseInstanceOf(IOException.class);
        }
        node().execute("insert into t values (1)");
    }

    @Test
    void resetComesInTheMiddleOfAnAnswer() throws Exception {
        try (Connection connection = node().openJdbc();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.setFetchSize(10);
            int rows = 0;
            network().resetAfter(20_000);
            try (var result = statement.executeQuery("select repeat('x', 100) from generate_series(1, 1000)")) {
                while (result.next()) {
                    rows++;
                }
                assertThat(rows).as("rows of a whole answer").isNegative();
            } catch (SQLException e) {
                assertThat(e.getSQLState()).startsWith("08");
            }
            assertThat(rows).isBetween(100, 190);
        }
    }

    @Test
    void deadServerBehindItsNetworkRefuses() throws Exception {
        shards.server(0).kill();
        assertRefused();
        shards.server(0).start();
        node().execute("insert into t values (1)");
    }

    @Test
    void serverThatDiesBehindACutNetworkIsNotHeardOf() throws Exception {
        try (Connection one = node().openJdbc();
                Connection another = node().openJdbc()) {
            network().cut();
            shards.server(0).kill();
            CompletableFuture<Void> newcomer =
                    CompletableFuture.runAsync(() -> node().execute("insert into t values (1)"));
            CompletableFuture<Void> waiting =
                    CompletableFuture.runAsync(() -> execute(one, "insert into t values (1)"));
            LockSupport.parkNanos(SHORT.toNanos());
            assertThat(newcomer).isNotDone();
            assertThat(waiting).isNotDone();

            network().heal();

            assertThat(newcomer).failsWithin(Duration.ofSeconds(10));
            assertThat(waiting).failsWithin(Duration.ofSeconds(10));
            assertThat(another.isValid(1)).isFalse();
            assertRefused();
        }
    }

    @Test
    void eachServerHasItsOwnAndReplicationGoesPastIt() {
        ShardServer primary = shards.server(0);
        ShardServer replica = shards.server(0, 1);
        assertThat(primary.network()).isNotSameAs(replica.network());
        replica.network().cut();
        primary.node().execute("insert into t values (1)");
        replica.awaitReplayOf(primary);
        replica.network().heal();
        assertThat(replica.node().number("select count(*) from t")).isEqualTo(1);
    }

    @Test
    void badValuesAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> network().latency(Duration.ofMillis(-5)))
                .withMessageContaining("-0.005S");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> network().bandwidth(0))
                .withMessageContaining("was 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> network().resetAfter(-1))
                .withMessageContaining("was -1");
    }

    private ShardNode node() {
        return shards.node(0);
    }

    private Network network() {
        return shards.server(0).network();
    }

    private void assertRefused() {
        assertThatExceptionOfType(SQLException.class)
                .isThrownBy(() -> node().openJdbc().close())
                .withRootCauseInstanceOf(ConnectException.class);
    }

    private void awaitNoConnection() {
        await(() -> network().connections() == 0);
    }

    private interface Check {

        boolean holds();
    }

    private static void await(Check check) {
        long start = System.nanoTime();
        while (!check.holds()) {
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
            LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
        }
    }

    private static Duration roundTrip(Connection connection) {
        long start = System.nanoTime();
        execute(connection, "select 1");
        return Duration.ofNanos(System.nanoTime() - start);
    }

    private static void execute(Connection connection, String sql) {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new CompletionException(e);
        }
    }
}
