package io.reactiverouter.test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Set;

/**
 * Makes the data directory of a standby from that of a running server, as {@code pg_basebackup} does: a copy between the
 * begin and the end of a backup. The log written meanwhile comes by replication, kept for it by a slot.
 */
final class Standby {

    /** Directories whose contents belong to the running server alone (as in PostgreSQL's basebackup.c). */
    private static final Set<String> EMPTY = Set.of(
            "pg_wal",
            "pg_dynshmem",
            "pg_notify",
            "pg_replslot",
            "pg_serial",
            "pg_snapshots",
            "pg_stat_tmp",
            "pg_subtrans");

    private static final Path CONTROL = Path.of("global", "pg_control");

    private static final Set<String> LEFT_OUT = Set.of(
            "postmaster.pid",
            "postmaster.opts",
            "backup_label",
            "tablespace_map",
            "standby.signal",
            "recovery.signal",
            "epg-lock");

    private Standby() {}

    /**
     * Copies a server.
     *
     * @param primary the server, reached without any network between
     * @param from its data directory
     * @param to a directory that does not exist yet
     * @param name of the standby, for its slot and for what the primary shows of it
     */
    static void copy(ShardNode primary, Path from, Path to, String name) throws SQLException, IOException {
        String slot = slot(name);
        ShardNode maintenance = primary.withDatabase("postgres");
        // The session must last as long as the backup.
        try (Connection connection = maintenance.openMaintenance()) {
            keepLog(connection, slot);
            try (Statement statement = connection.createStatement()) {
                statement.execute("select pg_backup_start('" + slot + "', true)");
                Directories.copy(from, to, Standby::skipped);
                // Last: of a standby it says how far the copy must be replayed to be consistent.
                Files.copy(from.resolve(CONTROL), to.resolve(CONTROL), StandardCopyOption.COPY_ATTRIBUTES);
                Files.createDirectories(to.resolve("pg_wal/archive_status"));
                Files.createDirectories(to.resolve("pg_wal/summaries"));
                try (ResultSet end = statement.executeQuery("select labelfile from pg_backup_stop(false)")) {
                    end.next();
                    Files.writeString(to.resolve("backup_label"), end.getString(1));
                }
            }
        }
        Files.createFile(to.resolve("standby.signal"));
        Files.writeString(
                to.resolve("postgresql.auto.conf"),
                settings(primary, name),
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
    }

    /** Returns the name of the slot that keeps the log for the standby {@code name}. */
    static String slot(String name) {
        return name.replace('-', '_');
    }

    /** Returns lines for the end of a standby's {@code postgresql.auto.conf}. */
    static String settings(ShardNode primary, String name) {
        // Of a setting that comes twice the last one counts; the copy may bring those of a former standby.
        return "\nprimary_conninfo = " + Databases.literal(connectionString(primary, name)) + "\nprimary_slot_name = '"
                + slot(name) + "'\nrecovery_min_apply_delay = 0\nrecovery_target_timeline = 'latest'"
                // A primary that comes back finds its replicas there at once, and not within 5 s.
                + "\nwal_retrieve_retry_interval = '100ms'\n";
    }

    /** Has a server keep its log from here on for the standby {@code name}. */
    static void keepLog(ShardNode primary, String name) throws SQLException {
        try (Connection connection = primary.withDatabase("postgres").openMaintenance()) {
            keepLog(connection, slot(name));
        }
    }

    /** A slot that begins at once keeps all that is written from here on until the standby has it. */
    private static void keepLog(Connection connection, String slot) throws SQLException {
        for (String sql : List.of(
                // What sends to a standby that is gone may not have noticed.
                "select pg_terminate_backend(active_pid, 5000) from pg_replication_slots"
                        + " where slot_name = ? and active_pid is not null",
                "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = ?",
                "select pg_create_physical_replication_slot(?, true)")) {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                statement.setString(1, slot);
                statement.execute();
            }
        }
    }

    private static boolean skipped(Path below) {
        String first = below.getName(0).toString();
        if (below.equals(CONTROL)) {
            return true;
        }
        return below.getNameCount() == 1
                ? EMPTY.contains(first) || LEFT_OUT.contains(first)
                : below.getFileName().toString().startsWith("pgsql_tmp") || below.endsWith("pg_internal.init");
    }

    static String connectionString(ShardNode primary, String name) {
        return "host=" + primary.host() + " port=" + primary.port() + " user=" + ShardNode.SUPERUSER + " password="
                + primary.superuserPassword() + " sslmode=disable gssencmode=disable application_name=" + name;
    }
}
