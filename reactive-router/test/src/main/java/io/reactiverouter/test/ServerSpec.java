package io.reactiverouter.test;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What every server of a set of shards is like. Immutable.
 *
 * @param settings PostgreSQL settings by name
 * @param initSql scripts to run in a new database, as its owner
 * @param database name of the database
 * @param username name of its owner
 * @param password the owner's password
 */
record ServerSpec(
        Map<String, String> settings, List<String> initSql, String database, String username, String password) {

    private static final int MAX_REPLICAS = 8;
    private static final Pattern IDENTIFIER = Pattern.compile("[a-z_][a-z0-9_]{0,62}");
    private static final Pattern SETTING = Pattern.compile("[A-Za-z_][A-Za-z0-9_.]*");

    /** Settings that the library puts on the server's command line, past a shell, where they win over the file. */
    static final Set<String> ON_COMMAND_LINE = Set.of("timezone", "synchronous_commit", "max_connections", "fsync");

    private static final Pattern ON_COMMAND_LINE_VALUE = Pattern.compile("[A-Za-z0-9_/+:.-]+");

    /** Settings by which a server is found, reached and watched. */
    private static final Set<String> RESERVED = Set.of(
            "config_file",
            "data_directory",
            "dynamic_shared_memory_type",
            "external_pid_file",
            "hba_file",
            "ident_file",
            "listen_addresses",
            "log_destination",
            "logging_collector",
            "port",
            "unix_socket_directories");

    static final ServerSpec DEFAULTS = new ServerSpec(
            Map.of(
                    "wal_level", "logical",
                    "max_connections", "300",
                    "max_prepared_transactions", "64",
                    "max_replication_slots", "32",
                    "max_wal_senders", "32",
                    "fsync", "off",
                    "synchronous_commit", "on",
                    "timezone", "UTC"),
            List.of(),
            "app",
            "app",
            "app");

    ServerSpec {
        require(IDENTIFIER, "database name", database);
        if (database.equals("postgres") || database.startsWith("template")) {
            throw new IllegalArgumentException(
                    "database name must not be one of PostgreSQL's own, was \"" + database + "\"; choose another");
        }
        require(IDENTIFIER, "user name", username);
        if (Set.of(ShardNode.SUPERUSER, "public", "none").contains(username) || username.startsWith("pg_")) {
            throw new IllegalArgumentException(
                    "user name must not be one of PostgreSQL's own, was \"" + username + "\"; choose another");
        }
        if (password.isEmpty() || password.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException(
                    "password must not be empty or hold control characters; PostgreSQL refuses such logins");
        }
        settings.forEach(ServerSpec::requireSetting);
        settings = Map.copyOf(settings);
        initSql = List.copyOf(initSql);
    }

    ServerSpec withSetting(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(settings);
        // PostgreSQL's names know no case; two spellings are one setting.
        more.put(name.toLowerCase(Locale.ROOT), value);
        return new ServerSpec(more, initSql, database, username, password);
    }

    ServerSpec withInitSql(String sql) {
        List<String> more = new ArrayList<>(initSql);
        more.add(sql);
        return new ServerSpec(settings, more, database, username, password);
    }

    ServerSpec withDatabase(String name) {
        return new ServerSpec(settings, initSql, name, username, password);
    }

    ServerSpec withUsername(String name) {
        return new ServerSpec(settings, initSql, database, name, password);
    }

    ServerSpec withPassword(String text) {
        return new ServerSpec(settings, initSql, database, username, text);
    }

    /** Returns the settings as lines of {@code postgresql.conf}. */
    String configuration() {
        // A primary that stops waits so long for a replica that does not answer.
        StringBuilder lines = new StringBuilder("wal_sender_timeout = 10s\n");
        settings.forEach((name, value) -> lines.append(name)
                .append(" = '")
                .append(value.replace("\\", "\\\\").replace("'", "''"))
                .append("'\n"));
        return lines.toString();
    }

    /** Returns {@code perShard} if a shard can have so many replicas. */
    static int requireReplicas(int perShard) {
        if (perShard < 0 || perShard > MAX_REPLICAS) {
            throw new IllegalArgumentException(
                    "number of replicas of a shard must be 0 to " + MAX_REPLICAS + ", was " + perShard);
        }
        return perShard;
    }

    /** Returns {@code count} if that many servers can be had. */
    static int requireCount(int count) {
        if (count < 1 || count > 64) {
            throw new IllegalArgumentException("number of shards must be 1 to 64, was " + count);
        }
        return count;
    }

    private static void requireSetting(String name, String value) {
        if (!SETTING.matcher(name).matches()) {
            throw new IllegalArgumentException("name of a PostgreSQL setting must be letters, digits, '_' and '.' and"
                    + " not start with a digit, was \"" + name + "\"");
        }
        if (RESERVED.contains(name)) {
            throw new IllegalArgumentException(
                    "setting " + name + " belongs to the test kit, which needs it to reach the server; remove it");
        }
        if (value.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException(
                    "value of setting " + name + " must be one line without control characters");
        }
        if (ON_COMMAND_LINE.contains(name)
                && !ON_COMMAND_LINE_VALUE.matcher(value).matches()) {
            throw new IllegalArgumentException(
                    "value of setting " + name + " must be letters, digits and any of _/+:.-, was \"" + value + "\"");
        }
    }

    private static void require(Pattern pattern, String what, String value) {
        if (!pattern.matcher(value).matches()) {
            throw new IllegalArgumentException(
                    what + " must be 1 to 63 lower-case letters, digits or '_' and not start with a digit, was \""
                            + value + "\"");
        }
    }

    @Override
    public String toString() {
        return "ServerSpec[" + username + "/" + database + ", " + settings + "]";
    }
}
