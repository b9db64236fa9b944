package io.reactiverouter.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.r2dbc.spi.ConnectionFactories;
import java.lang.management.ManagementFactory;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

class EmbeddedShardsIntegrationTests {

    private static final Duration LIMIT = Duration.ofSeconds(3);

    @Test
    @Tag("undisturbed")
    void threeShardsAreReadyInThreeSeconds() {
        EmbeddedShards.start(1).close(); // unpacks the binaries
        List<Duration> times = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            long start = System.nanoTime();
            try (EmbeddedShards shards = EmbeddedShards.start(3)) {
                times.add(Duration.ofNanos(System.nanoTime() - start));
                assertThat(shards.size()).isEqualTo(3);
            }
        }
        Collections.sort(times);
        Duration median = times.get(2);
        double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
        int cores = Runtime.getRuntime().availableProcessors();
        String figures = "three embedded shards ready: median %d ms, spread %d to %d ms, load average %.1f on %d cores"
                .formatted(
                        median.toMillis(), times.get(0).toMillis(), times.get(4).toMillis(), load, cores);
        System.out.println(figures);
        assumeTrue(median.compareTo(LIMIT) < 0 || load <= 2.0 * cores, "busy with other work; " + figures);
        assertThat(median).as(figures).isLessThan(LIMIT);
    }

    @Test
    void serverIsPostgresEighteenWithTheSettings() {
        try (EmbeddedShards shards = EmbeddedShards.builder(2)
                .setting("work_mem", "7MB")
                .setting("MAX_Connections", "37")
                .setting("fsync", "on")
                .setting("log_line_prefix", "%m it's \\ [%p] ")
                .start()) {
            assertThat(shards.nodes()).extracting(ShardNode::name).containsExactly("s0", "s1");
            for (ShardNode node : shards.nodes()) {
                Map.of(
                                "server_version_num", "18",
                                "wal_level", "logical",
                                "max_prepared_transactions", "64",
                                "work_mem", "7MB",
                                "max_connections", "37",
                                "fsync", "on",
                                "log_line_prefix", "%m it's \\ [%p] ",
                                "server_encoding", "UTF8",
                                "listen_addresses", "127.0.0.1")
                        .forEach((name, value) ->
                                assertThat(text(node, "show " + name)).as(name).startsWith(value));
                assertThat(text(node, "select datlocale from pg_database where datname = current_database()"))
                        .isEqualTo("C.UTF-8");
            }
        }
    }

    @Test
    void databaseAndOwnerAreThoseAskedFor() throws SQLException {
        try (EmbeddedShards shards = EmbeddedShards.builder(1)
                .database("orders")
                .username("shop")
                .password("p@ss:w/rd %+'")
                .initSql("create table a (id int); insert into a values (1)")
                .initSql("insert into a values (2)")
                .start()) {
            ShardNode node = shards.node(0);
            assertThat(text(node, "select current_user || '/' || current_database()"))
                    .isEqualTo("shop/orders");
            assertThat(overR2dbc(node)).isEqualTo("shop/orders");
            try (Connection connection = DriverManager.getConnection(node.jdbcUrl())) {
                assertThat(connection.isValid(1)).isTrue();
            }
            assertThat(text(node, "select sum(id) from a")).isEqualTo("3");
        }
    }

    @Test
    void ownerMayReplicateButIsNoSuperuser() throws SQLException {
        try (EmbeddedShards shards =
                EmbeddedShards.builder(1).initSql("create table a (id int)").start()) {
            ShardNode node = shards.node(0);
            assertThat(text(node, "select rolsuper::text || rolreplication from pg_roles where rolname = current_user"))
                    .isEqualTo("falsetrue");
            try (Connection connection = node.openJdbc();
                    Statement statement = connection.createStatement()) {
                statement.execute("create publication p for table a where (id > 1)");
                statement.execute("select pg_create_logical_replication_slot('s', 'pgoutput')");
                statement.execute("prepare transaction 'none'");
            }
            try (Connection superuser = node.openSuperuserJdbc();
                    Statement statement = superuser.createStatement()) {
                statement.execute("alter system set work_mem = '8MB'");
            }
        }
    }

    @Test
    void passwordsAreCheckedFromTheFirstMomentOn() {
        try (EmbeddedShards shards = EmbeddedShards.start(1)) {
            ShardNode node = shards.node(0);
            for (String user : List.of("app", "postgres")) {
                assertThatExceptionOfType(SQLException.class)
                        .isThrownBy(() -> DriverManager.getConnection(
                                        "jdbc:postgresql://127.0.0.1:" + node.port() + "/app", user, "wrong")
                                .close())
                        .satisfies(error -> assertThat(error.getSQLState()).isEqualTo("28P01"));
            }
        }
    }

    private static String text(ShardNode node, String sql) {
        try (Connection connection = node.openJdbc();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            result.next();
            return result.getString(1);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    private static String overR2dbc(ShardNode node) {
        return Objects.requireNonNull(Flux.usingWhen(
                        ConnectionFactories.get(node.r2dbcUrl()).create(),
                        connection -> Flux.from(connection
                                        .createStatement("select current_user || '/' || current_database()")
                                        .execute())
                                .concatMap(result -> result.map(row -> String.valueOf(row.get(0, String.class)))),
                        connection -> Mono.from(connection.close()))
                .blockLast(Duration.ofSeconds(10)));
    }
}
