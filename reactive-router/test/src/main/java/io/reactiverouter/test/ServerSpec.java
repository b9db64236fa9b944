package io.reactiverouter.test;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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

    private static final Pattern IDENTIFIER = Pattern.compile("[a-z_][a-z0-9_]{0,62}");
    private static final Pattern SETTING = Pattern.compile("[A-Za-z_][A-Za-z0-9_.]*");

    static final ServerSpec DEFAULTS = new ServerSpec(
            Map.of(
                    "wal_level", "logical",
                    "max_connections", "300",
                    "max_prepared_transactions", "64",
                    "max_replication_slots", "32",
                    "max_wal_senders", "32",
                    "fsync", "off",
                    "synchronous_commit", "on"),
            List.of(),
            "app",
            "app",
            "app");

    ServerSpec {
        require(IDENTIFIER, "database name", database);
        require(IDENTIFIER, "user name", username);
        if (username.equals(ShardNode.SUPERUSER) || username.startsWith("pg_")) {
            throw new IllegalArgumentException(
                    "user name must not be one of PostgreSQL's own, was \"" + username + "\"; choose another");
        }
        if (password.isEmpty()) {
            throw new IllegalArgumentException("password must not be empty: PostgreSQL refuses logins without one");
        }
        settings.keySet().forEach(name -> require(SETTING, "name of a PostgreSQL setting", name));
        settings = Map.copyOf(settings);
        initSql = List.copyOf(initSql);
    }

    ServerSpec withSetting(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(settings);
        more.put(name, value);
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

    ServerSpec withCredentials(String newUsername, String newPassword) {
        return new ServerSpec(settings, initSql, database, newUsername, newPassword);
    }

    /** Returns {@code count} if that many servers can be had. */
    static int requireCount(int count) {
        if (count < 1 || count > 64) {
            throw new IllegalArgumentException("number of shards must be 1 to 64, was " + count);
        }
        return count;
    }

    private static void require(Pattern pattern, String what, String value) {
        if (!pattern.matcher(value).matches()) {
            throw new IllegalArgumentException(
                    what + " must be 1 to 63 lower-case letters, digits or '_' and not start with" + " a digit, was \""
                            + value + "\"");
        }
    }

    @Override
    public String toString() {
        return "ServerSpec[" + username + "/" + database + ", " + settings + "]";
    }
}
