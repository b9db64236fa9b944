package io.reactiverouter;

import io.reactiverouter.connection.ConnectionSettings;
import io.reactiverouter.connection.PoolStatistics;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.Shards;
import io.reactiverouter.topology.Shard;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/** Clusters over the shards of the test kit, and the ways in which tests look at a server from outside. */
public final class TestClusters {

    /** The limit of every wait of a test. */
    public static final Duration TIMEOUT = Duration.ofSeconds(20);

    /**
     * Tests look at servers again and again until something has happened. A new connection each time would take the server
     * a process and a check of the password, and the tests beside a good part of their time.
     */
    private static final Map<String, Queue<Connection>> LOOKING = new ConcurrentHashMap<>();

    private TestClusters() {}

    /** Returns the shards of the test kit as shards of a cluster. */
    public static List<Shard> shardsOf(Shards shards) {
        return shards.nodes().stream()
                .map(node -> Shard.named(node.name()).primary(node.r2dbcUrl()))
                .toList();
    }

    /** Starts a cluster whose connections carry {@code applicationName}. */
    public static ShardCluster.Builder over(Shards shards, String applicationName) {
        return ShardCluster.builder()
                .shards(shardsOf(shards))
                .connection(ConnectionSettings.DEFAULTS.withApplicationName(applicationName));
    }

    /** Runs a statement on a shard, past the router. */
    public static void sql(ShardNode node, String sql) {
        node.execute(sql);
    }

    /** Runs a statement on every shard, past the router. */
    public static void sql(Shards shards, String sql) {
        shards.nodes().forEach(node -> sql(node, sql));
    }

    /** Reads one number from a shard, past the router, on a connection that may have been used before in the same way. */
    public static long number(ShardNode node, String sql) {
        Queue<Connection> idle = LOOKING.computeIfAbsent(node.jdbcUrl(), seen -> new ConcurrentLinkedQueue<>());
        Connection used = idle.poll();
        if (used != null) {
            try {
                return number(used, sql, idle);
            } catch (SQLException e) {
                // The server has been away since, or does not like the query: a new one tells.
            }
        }
        try {
            return number(node.openJdbc(), sql, idle);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    private static long number(Connection connection, String sql, Queue<Connection> idle) throws SQLException {
        long number;
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            result.next();
            number = result.getLong(1);
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
        idle.add(connection);
        return number;
    }

    /** Returns how many connections of this application run a statement, or sit in a transaction, on a shard. */
    public static long busy(ShardNode node, String applicationName) {
        return number(
                node,
                "select count(*) from pg_stat_activity where state <> 'idle' and application_name = '" + applicationName
                        + "'");
    }

    /** Returns how many connections of this application a shard has. */
    public static long connections(ShardNode node, String applicationName) {
        return number(node, "select count(*) from pg_stat_activity where application_name = '" + applicationName + "'");
    }

    /** Returns how many connections are out of the pools of all primaries. */
    public static int acquired(ShardCluster cluster) {
        return cluster.shards().stream()
                .map(shard -> cluster.poolStatistics(shard.primary().id()))
                .mapToInt(PoolStatistics::acquired)
                .sum();
    }

    /** Waits until {@code condition} holds. */
    public static void await(String what, Duration limit, BooleanSupplier condition) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("not within " + limit + ": " + what);
            }
            LockSupport.parkNanos(5_000_000);
        }
    }

    /** Waits until every connection is back and no statement of the application runs. */
    public static void awaitQuiet(ShardCluster cluster, Shards shards, String applicationName) {
        await("all connections are back in their pools", TIMEOUT, () -> acquired(cluster) == 0);
        await(
                "no statement runs",
                TIMEOUT,
                () -> IntStream.range(0, shards.size()).allMatch(i -> busy(shards.node(i), applicationName) == 0));
    }
}
