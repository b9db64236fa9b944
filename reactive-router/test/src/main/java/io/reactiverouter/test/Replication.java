package io.reactiverouter.test;

import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** What is asked of a server about its being a standby, over connections to it. */
final class Replication {

    private static final Duration REPLAY_LIMIT = Duration.ofSeconds(30);
    private static final Duration POLL_INTERVAL = Duration.ofMillis(5);
    private static final Duration RELOAD = Duration.ofMillis(200);
    private static final int PROMOTE_SECONDS = 60;

    private Replication() {}

    /** Makes a primary of a standby. */
    static void promote(ShardNode standby) throws SQLException, IOException {
        try (Connection connection = standby.withDatabase("postgres").openMaintenance();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("select pg_promote(true, " + PROMOTE_SECONDS + ")")) {
            result.next();
            if (!result.getBoolean(1)) {
                throw new IOException("still no primary after " + PROMOTE_SECONDS + " s");
            }
        }
    }

    /** Has a standby apply commits so much later. */
    static void delay(ShardNode standby, Duration delay) throws SQLException, IOException {
        ShardNode server = standby.withDatabase("postgres");
        requireStandby(server, "be delayed");
        Databases.run(
                server,
                List.of("alter system set recovery_min_apply_delay = " + delay.toMillis(), "select pg_reload_conf()"));
        long start = System.nanoTime();
        while (!delayed(server, delay)) {
            requireInTime(start, "the delay is not in force");
        }
        // Other sessions have read it by now; the process that replays reads it within its next wait.
        LockSupport.parkNanos(RELOAD.toNanos());
    }

    /** Waits until a standby has applied all that another server has written by now. */
    static void awaitReplay(ShardNode follower, ShardNode primary) throws SQLException, IOException {
        ShardNode standby = follower.withDatabase("postgres");
        ShardNode other = primary.withDatabase("postgres");
        requireStandby(standby, "apply what another server has written");
        // Writes out what the server has not written yet, as commits that nobody waited for.
        text(other, "select pg_logical_emit_message(false, 'reactive-router', '', true)");
        String written = text(other, "select pg_current_wal_lsn()");
        String timeline = text(other, "select ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int");
        long start = System.nanoTime();
        try (Connection connection = standby.openMaintenance();
                PreparedStatement statement = connection.prepareStatement(
                        "select pg_last_wal_replay_lsn() >= ?::pg_lsn and received_tli = ?::int from"
                                + " pg_stat_wal_receiver")) {
            statement.setString(1, written);
            statement.setString(2, timeline);
            while (!isTrue(statement)) {
                requireInTime(start, "position " + written + " of timeline " + timeline + " is not applied");
            }
        }
    }

    private static boolean delayed(ShardNode server, Duration delay) throws SQLException {
        try (Connection connection = server.openMaintenance();
                PreparedStatement statement = connection.prepareStatement(
                        "select setting::bigint = ? from pg_settings where name = 'recovery_min_apply_delay'")) {
            statement.setLong(1, delay.toMillis());
            return isTrue(statement);
        }
    }

    private static void requireStandby(ShardNode server, String what) throws SQLException, IOException {
        if (!"t".equals(text(server, "select pg_is_in_recovery()"))) {
            throw new IOException("it is no standby, and only those can " + what);
        }
    }

    private static void requireInTime(long start, String otherwise) throws IOException {
        if (System.nanoTime() - start > REPLAY_LIMIT.toNanos()) {
            throw new IOException(otherwise + " after " + REPLAY_LIMIT);
        }
        LockSupport.parkNanos(POLL_INTERVAL.toNanos());
    }

    private static String text(ShardNode node, String sql) throws SQLException {
        try (Connection connection = node.openMaintenance();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            result.next();
            return String.valueOf(result.getString(1));
        }
    }

    private static boolean isTrue(PreparedStatement statement) throws SQLException {
        try (ResultSet result = statement.executeQuery()) {
            return result.next() && result.getBoolean(1);
        }
    }
}
