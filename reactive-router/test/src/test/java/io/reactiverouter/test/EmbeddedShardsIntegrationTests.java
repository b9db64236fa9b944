package io.reactiverouter.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.r2dbc.spi.ConnectionFactories;
import java.nio.file.Path;
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
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

class EmbeddedShardsIntegrationTests {

    @Test
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
        System.out.println("three embedded shards ready: median " + times.get(2).toMillis() + " ms, spread "
                + times.get(0).toMillis() + " to " + times.get(4).toMillis() + " ms");
        assertThat(times.get(2)).isLessThan(Duration.ofSeconds(3));
    }

    @Test
    void serverIsPostgresEighteenWithTheSettings() throws SQLException {
        try (EmbeddedShards shards = EmbeddedShards.builder(2)
                .setting("work_mem", "7MB")
                .setting("max_connections", "37")
                .setting("log_line_prefix", "%m it's [%p] ")
                .database("orders")
                .credentials("shop", "p@ss:w/rd %+'")
                .initSql("create table a (id int); insert into a values (1)")
                .initSql("insert into a values (2)")
                .start()) {
            assertThat(shards.nodes()).extracting(ShardNode::name).containsExactly("s0", "s1");
            for (ShardNode node : shards.nodes()) {
                Map.of(
                                "server_version_num", "18",
                                "wal_level", "logical",
                                "max_prepared_transactions", "64",
                                "work_mem", "7MB",
                                "max_connections", "37",
                                "log_line_prefix", "%m it's [%p] ",
                                "server_encoding", "UTF8",
                                "listen_addresses", "127.0.0.1")
                        .forEach((name, value) ->
                                assertThat(text(node, "show " + name)).as(name).startsWith(value));
                assertThat(text(node, "select current_user || '/' || current_database()"))
                        .isEqualTo("shop/orders");
                assertThat(text(node, "select rolsuper from pg_roles where rolname = current_user"))
                        .isEqualTo("f");
                assertThat(text(node, "select sum(id) from a")).isEqualTo("3");
                assertThat(overR2dbc(node)).isEqualTo("shop/orders");
                try (Connection superuser = node.openSuperuserJdbc()) {
                    assertThat(superuser.isValid(1)).isTrue();
                }
            }
        }
    }

    @Test
    void passwordsAreChecked() {
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

    @Test
    void closeStopsTheProcessesAndDeletesTheData() {
        EmbeddedShards shards = EmbeddedShards.start(2);
        List<Long> pids = shards.pids();
        Path directory = shards.directory();
        assertThat(pids).hasSize(2).allMatch(EmbeddedShardsIntegrationTests::alive);

        shards.close();
        shards.close();

        assertThat(pids).noneMatch(EmbeddedShardsIntegrationTests::alive);
        assertThat(directory).doesNotExist();
    }

    @Test
    void serverThatDoesNotStartIsNamedWithItsLogAndLeavesNothing() {
        assertThatIllegalStateException()
                .isThrownBy(() -> EmbeddedShards.builder(2)
                        .setting("no_such_setting", "1")
                        .start())
                .withMessageContaining("embedded PostgreSQL for shard s")
                .withMessageContaining("no_such_setting");
        assertThat(processesOf("no_such_setting")).isEmpty();
    }

    @Test
    void initSqlThatFailsIsNamed() {
        assertThatIllegalStateException()
                .isThrownBy(() ->
                        EmbeddedShards.builder(1).initSql("create tabel x").start())
                .withMessageContaining("shard s0")
                .withMessageContaining("tabel");
    }

    @Test
    void manyClustersCanStartAtOnce() {
        List<EmbeddedShards> all = Collections.synchronizedList(new ArrayList<>());
        try {
            EmbeddedShards.inParallel(List.of(1, 2, 3, 4), i -> all.add(EmbeddedShards.start(2)));
            assertThat(all.stream().flatMap(shards -> shards.nodes().stream()).map(ShardNode::port))
                    .hasSize(8)
                    .doesNotHaveDuplicates();
        } finally {
            all.forEach(EmbeddedShards::close);
        }
    }

    static boolean alive(long pid) {
        return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
    }

    private static List<String> processesOf(String marker) {
        return ProcessHandle.allProcesses()
                .map(process -> process.info().commandLine().orElse(""))
                .filter(command -> command.contains("postgres") && command.contains(marker))
                .toList();
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
