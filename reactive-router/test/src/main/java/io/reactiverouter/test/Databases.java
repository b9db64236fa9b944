package io.reactiverouter.test;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/** Makes and drops databases and users, as the superuser. Names are plain identifiers, checked by {@link ServerSpec}. */
final class Databases {

    private Databases() {}

    /** Makes the owner of all databases of a server: no superuser, allowed to replicate and to read statistics. */
    static void createOwner(ShardNode node) throws SQLException {
        run(
                node.withDatabase("postgres"),
                List.of(
                        "create role \"" + node.username() + "\" login replication password "
                                + literal(node.password()),
                        "grant pg_monitor, pg_create_subscription to \"" + node.username() + "\""));
    }

    /**
     * Makes the database of {@code node}, owned by its user, and runs the scripts in it.
     *
     * @throws IllegalStateException if that fails
     */
    static void createOwned(ShardNode node, List<String> initSql) {
        try {
            create(node, initSql);
        } catch (SQLException e) {
            throw new IllegalStateException(
                    "database " + node.database() + " of shard " + node.name()
                            + " could not be made, or its init SQL failed: " + e.getMessage(),
                    e);
        }
    }

    private static void create(ShardNode node, List<String> initSql) throws SQLException {
        run(
                node.withDatabase("postgres"),
                List.of("create database \"" + node.database() + "\" owner \"" + node.username() + "\""));
        if (!initSql.isEmpty()) {
            try (Connection connection = node.openOwnMaintenance();
                    Statement statement = connection.createStatement()) {
                for (String sql : initSql) {
                    statement.execute(sql);
                }
            }
        }
    }

    /** Drops the database of {@code node} with all connections to it. */
    static void drop(ShardNode node) throws SQLException {
        run(node.withDatabase("postgres"), List.of("drop database if exists \"" + node.database() + "\" with (force)"));
    }

    /** Runs statements as the superuser, each in its own transaction. */
    static void run(ShardNode node, List<String> statements) throws SQLException {
        try (Connection connection = node.openMaintenance();
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    static String literal(String text) {
        return "'" + text.replace("'", "''") + "'";
    }
}
