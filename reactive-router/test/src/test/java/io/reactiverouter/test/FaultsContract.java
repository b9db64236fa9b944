package io.reactiverouter.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.junit.jupiter.api.parallel.ExecutionMode.CONCURRENT;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;

/** What the kit does to servers, seen by their clients, wherever the servers run. */
abstract class FaultsContract {

    private final ServersUnderTest kit;

    @AutoClose
    private final ShardServers shards;

    FaultsContract(ServersUnderTest kit) {
        this.kit = kit;
        this.shards = kit.withReplica("create table t (id bigint primary key)");
    }

    final ShardServers shards() {
        return shards;
    }

    @Test
    @Execution(CONCURRENT)
    void replicaHasWhatItsPrimaryHasAndTakesNoWrites() {
        ShardServer replica = shards.server(0, 1);
        assertThat(replica.node().name()).isEqualTo("s0-r1");
        assertThat(shards.servers(0)).hasSize(2);
        assertThat(shards.nodes()).extracting(ShardNode::name).containsExactly("s0");

        primary().execute("insert into t select generate_series(1, 1000)");
        replica.awaitReplayOf(shards.server(0));

        assertThat(replica.node().number("select count(*) from t")).isEqualTo(1000);
        assertThatExceptionOfType(SQLException.class)
                .isThrownBy(() -> run(replica.node(), "insert into t values (0)"))
                .satisfies(error -> assertThat(error.getSQLState()).isEqualTo("25006"));
    }

    @Test
    @Execution(CONCURRENT)
    void killedServerRefusesUntilItIsStartedAndHasAllThatWasCommitted() throws Exception {
        ShardServer server = shards.server(0);
        int port = primary().port();
        try (Connection open = primary().openJdbc();
                Statement statement = open.createStatement()) {
            statement.execute("insert into t select generate_series(1, 1000)");
            open.setAutoCommit(false);
            statement.execute("insert into t values (0)");

            server.kill();
            server.kill();

            assertThat(server.running()).isFalse();
            assertThatExceptionOfType(SQLException.class)
                    .isThrownBy(open::commit)
                    .satisfies(error -> assertThat(error.getSQLState()).startsWith("08"));
        }
        assertThat(shards.server(0, 1).running()).as("the replica").isTrue();
        assertRefused();

        server.start();
        server.start();

        assertThat(server.running()).isTrue();
        assertThat(primary().port()).isEqualTo(port);
        assertThat(primary().number("select count(*) from t")).isEqualTo(1000);
        primary().execute("insert into t values (1001)");
        shards.server(0, 1).awaitReplayOf(server);
    }

    @Test
    @Execution(CONCURRENT)
    void stoppedServerTellsItsClientsAndComesBack() throws Exception {
        ShardServer server = shards.server(0);
        try (Connection open = primary().openJdbc();
                Statement statement = open.createStatement()) {
            server.stop();
            server.stop();
            assertThatExceptionOfType(SQLException.class)
                    .isThrownBy(() -> statement.execute("select 1"))
                    .satisfies(error -> assertThat(error.getSQLState()).isEqualTo("57P01"));
        }
        assertThat(server.running()).isFalse();
        assertRefused();

        server.start();
        server.restart();

        assertThat(primary().number("select count(*) from t")).isZero();
    }

    @Test
    @Execution(CONCURRENT)
    void pausedServerAnswersNothingUntilItIsResumed() throws Exception {
        ShardServer server = shards.server(0);
        try (Connection patient = primary().openJdbc();
                Statement statement = patient.createStatement();
                Connection impatient = DriverManager.getConnection(primary().jdbcUrl() + "&socketTimeout=1");
                Statement hasty = impatient.createStatement()) {
            server.pause();
            assertThat(server.running()).isTrue();
            assertThatExceptionOfType(SQLException.class)
                    .isThrownBy(() -> hasty.execute("insert into t values (1)"))
                    .withRootCauseInstanceOf(java.net.SocketTimeoutException.class);
            assertThatExceptionOfType(SQLException.class)
                    .as("a new connection")
                    .isThrownBy(() -> DriverManager.getConnection(
                                    primary().jdbcUrl() + "&loginTimeout=1&socketTimeout=1&connectTimeout=1")
                            .close());
            assertThatIllegalStateException().isThrownBy(server::stop).withMessageContaining("paused");

            server.resume();
            server.resume();

            statement.execute("insert into t values (2)");
        }
        assertThat(primary().number("select count(*) from t where id = 2")).isEqualTo(1);
    }

    @Test
    @Execution(CONCURRENT)
    void serversOfOtherShardsCannotBeFollowed() {
        try (ShardServers others = kit.plain(2)) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> others.server(1).follow(others.server(0)))
                    .withMessageContaining("not a server of the same shard");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> others.server(0).follow(shards.server(0)));
            others.node(1).execute("create table still_there (id int)");
        }
    }

    @Test
    @Execution(CONCURRENT)
    void shardsCanWaitForTheirReplicasWithEachCommitFromTheStart() {
        try (ShardServers others = kit.replicatedInStep("create table s (id int)")) {
            others.node(0).execute("insert into s values (1)");
            assertThat(others.server(0, 1).node().number("select count(*) from s"))
                    .isEqualTo(1);
        }
    }

    @Test
    @Execution(CONCURRENT)
    void restartIsOverWhenItReturns() {
        for (int i = 0; i < 8; i++) {
            shards.server(0).restart();
            assertThat(primary().number("select 1")).isEqualTo(1);
        }
    }

    @Test
    @Execution(CONCURRENT)
    void pausedServerCanBeKilledAndStarted() {
        ShardServer server = shards.server(0);
        server.pause();
        server.kill();
        assertThat(server.running()).isFalse();
        server.start();
        primary().execute("insert into t values (1)");
    }

    @Test
    @Execution(CONCURRENT)
    void promotedReplicaTakesWritesOnANewTimelineAndTheOldPrimaryCanFollowIt() throws Exception {
        ShardServer old = shards.server(0);
        ShardServer replica = shards.server(0, 1);
        old.node().execute("insert into t values (1)");
        replica.awaitReplayOf(old);

        replica.promote();

        assertThat(timeline(replica)).isEqualTo(timeline(old) + 1);
        replica.node().execute("insert into t values (2)");
        // Nobody has told the old one: it takes writes that nobody else sees.
        old.node().execute("insert into t values (3)");

        old.follow(replica);

        replica.node().execute("insert into t values (4)");
        old.awaitReplayOf(replica);
        assertThat(ids(old)).containsExactly(1L, 2L, 4L);
        assertThatExceptionOfType(SQLException.class).isThrownBy(() -> run(old.node(), "insert into t values (5)"));

        // And back again, with the first one dead.
        replica.kill();
        old.promote();
        replica.follow(old);
        old.node().execute("insert into t values (6)");
        replica.awaitReplayOf(old);
        assertThat(ids(replica)).containsExactly(1L, 2L, 4L, 6L);
    }

    @Test
    @Execution(CONCURRENT)
    void replicationDelayHoldsCommitsBackAndLosesNone() throws Exception {
        ShardServer replica = shards.server(0, 1);
        replica.replicationDelay(Duration.ofMinutes(10));
        primary().execute("insert into t values (1)");
        LockSupport.parkNanos(Duration.ofMillis(500).toNanos());
        assertThat(ids(replica)).isEmpty();

        replica.replicationDelay(Duration.ZERO);
        replica.awaitReplayOf(shards.server(0));
        assertThat(ids(replica)).containsExactly(1L);

        replica.replicationDelay(Duration.ofMinutes(10));
        primary().execute("insert into t values (2)");
        LockSupport.parkNanos(Duration.ofMillis(500).toNanos());
        assertThat(ids(replica)).containsExactly(1L);
        replica.promote();
        assertThat(ids(replica)).containsExactly(1L, 2L);
    }

    @Test
    @Execution(CONCURRENT)
    void replicaThatWasAwayCatchesUp() throws Exception {
        ShardServer replica = shards.server(0, 1);
        replica.kill();
        // More than the log that a server keeps without being asked to.
        primary().execute("insert into t select generate_series(1, 200000)");
        primary().execute("create table more as select * from t");
        superuser(primary(), "select pg_switch_wal()", "checkpoint");
        replica.start();
        replica.awaitReplayOf(shards.server(0));
        assertThat(replica.node().number("select count(*) from more")).isEqualTo(200_000);
    }

    @Test
    @Execution(CONCURRENT)
    void whatCannotBeIsRefusedWithTheServersName() {
        ShardServer server = shards.server(0);
        ShardServer replica = shards.server(0, 1);
        assertThatIllegalStateException().isThrownBy(server::promote).withMessageContaining("server s0 ");
        assertThatIllegalStateException()
                .isThrownBy(() -> server.replicationDelay(Duration.ZERO))
                .withMessageContaining("no standby");
        assertThatIllegalStateException()
                .isThrownBy(() -> server.awaitReplayOf(replica))
                .withMessageContaining("no standby");
        assertThatIllegalStateException().isThrownBy(server::network).withMessageContaining("networks()");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> server.follow(server))
                .withMessageContaining("itself");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> replica.replicationDelay(Duration.ofMillis(-1)))
                .withMessageContaining("-0.001S");
        assertThatIllegalArgumentException().isThrownBy(() -> kit.replicas(9)).withMessageContaining("was 9");
        server.kill();
        assertThatIllegalStateException().isThrownBy(server::pause).withMessageContaining("start it first");
        assertThatIllegalStateException()
                .isThrownBy(() -> replica.follow(server))
                .withMessageContaining("s0");
        assertThat(replica.running()).as("left as it was").isTrue();

        shards.close();
        assertThatIllegalStateException().isThrownBy(server::start).withMessageContaining("closed");
        assertThatCode(server::kill).doesNotThrowAnyException();
    }

    private ShardNode primary() {
        return shards.node(0);
    }

    private void assertRefused() {
        assertThatExceptionOfType(SQLException.class)
                .isThrownBy(() -> primary().openJdbc().close())
                .withRootCauseInstanceOf(java.net.ConnectException.class);
    }

    /** Of a primary. */
    private static long timeline(ShardServer server) {
        return server.node().number("select ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int");
    }

    private static List<Long> ids(ShardServer server) throws SQLException {
        try (Connection connection = server.node().openJdbc();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("select array_agg(id order by id) from t")) {
            result.next();
            return result.getArray(1) == null
                    ? List.of()
                    : List.of((Long[]) result.getArray(1).getArray());
        }
    }

    private static void run(ShardNode node, String sql) throws SQLException {
        try (Connection connection = node.openJdbc();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static void superuser(ShardNode node, String... statements) throws SQLException {
        try (Connection connection = node.openSuperuserJdbc();
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }
}
