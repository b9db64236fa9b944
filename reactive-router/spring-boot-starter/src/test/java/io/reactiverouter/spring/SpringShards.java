package io.reactiverouter.spring;

import io.reactiverouter.ShardCluster;
import io.reactiverouter.connection.PoolStatistics;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.Shards;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/** Applications over the shards of the test kit, and looks at the servers from outside. */
public final class SpringShards {

    /** The limit of every wait of a test. */
    public static final Duration TIMEOUT = Duration.ofSeconds(20);

    private SpringShards() {}

    /** A whole application, with every auto-configuration on the class path. */
    @SpringBootConfiguration
    @EnableAutoConfiguration
    static class Application {}

    /** Starts an application with the keyspace tenants (key tenant_id, modulo) over these shards. */
    public static ConfigurableApplicationContext start(Shards shards, String applicationName, String... more) {
        return start(new SpringApplicationBuilder(Application.class), shards, applicationName, more);
    }

    /** Starts such an application from these sources. */
    static ConfigurableApplicationContext start(
            SpringApplicationBuilder application, Shards shards, String applicationName, String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                "--reactive-router.keyspaces.tenants.key=tenant_id",
                "--reactive-router.keyspaces.tenants.strategy=modulo",
                "--reactive-router.connection.application-name=" + applicationName));
        for (ShardNode node : shards.nodes()) {
            String shard = "--reactive-router.shards." + node.name();
            arguments.add(shard + ".url=r2dbc:postgresql://" + node.host() + ":" + node.port() + "/" + node.database());
            arguments.add(shard + ".username=" + node.username());
            arguments.add(shard + ".password=" + node.password());
        }
        arguments.addAll(List.of(more));
        return application.run(arguments.toArray(String[]::new));
    }

    /** Runs a statement on every shard, past the router. */
    public static void sql(Shards shards, String sql) {
        shards.nodes().forEach(node -> node.execute(sql));
    }

    /** Reads one number from a shard, past the router. */
    public static long number(ShardNode node, String sql) {
        return node.number(sql);
    }

    /** Reads the same number from every shard, past the router. */
    public static List<Long> numbers(Shards shards, String sql) {
        return shards.nodes().stream().map(node -> number(node, sql)).toList();
    }

    /** Counts the connections of this application on all shards. */
    public static long connections(Shards shards, String applicationName) {
        return numbers(
                        shards,
                        "select count(*) from pg_stat_activity where application_name = '" + applicationName + "'")
                .stream()
                .mapToLong(Long::longValue)
                .sum();
    }

    /** Counts the connections of this application that run a statement or sit in a transaction, on all shards. */
    public static long busy(Shards shards, String applicationName) {
        return numbers(
                        shards,
                        "select count(*) from pg_stat_activity where state <> 'idle' and application_name = '"
                                + applicationName + "'")
                .stream()
                .mapToLong(Long::longValue)
                .sum();
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
}
