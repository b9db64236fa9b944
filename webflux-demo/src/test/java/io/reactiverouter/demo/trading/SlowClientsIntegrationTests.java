package io.reactiverouter.demo.trading;

import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardsExtension;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Two hundred slow clients of the ordered stream at once, and an application that has 256 MB of heap and as much beside it
 * for buffers: every client has a cursor on each of three shards, so the pools are larger here than the demo's own.
 */
@NullUnmarked
class SlowClientsIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3);

    private static final int CLIENTS = 200;
    private static final int ORDERS = 100_000;

    @Test
    @Timeout(400)
    void twoHundredSlowClientsFitInto256Megabytes() throws Exception {
        List<RawClient> clients = new ArrayList<>();
        try (DemoProcess demo = new DemoProcess(List.of("-Xmx256m", "-XX:+ExitOnOutOfMemoryError"), arguments())) {
            int port = demo.port();
            long before = demo.liveHeap();
            long start = System.nanoTime();
            for (int i = 0; i < CLIENTS; i++) {
                RawClient client = new RawClient(port, "/api/orders/largest");
                clients.add(client);
                assertThat(client.rows(10)).as("client %s", i).hasSize(10);
            }
            System.out.println(CLIENTS + " clients have their first rows after "
                    + Duration.ofNanos(System.nanoTime() - start).toMillis() + " ms");

            // Each client reads a hundred rows a second at most.
            for (int round = 0; round < 50; round++) {
                for (RawClient client : clients) {
                    assertThat(client.rows(10)).hasSize(10);
                }
                LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
            }
            long live = demo.liveHeap();
            System.out.printf(
                    "%d slow clients of a stream of %d orders: %d cursors, live heap %d MB before, %d MB with them, process %s%n",
                    CLIENTS, ORDERS, cursors(), before >> 20, live >> 20, demo.resident());
            assertThat(cursors()).isEqualTo(3 * CLIENTS);
            assertThat(live).isLessThan(256L << 20);

            assertThat(clients.get(0).last()).contains("\"complete\":true", "\"rows\":" + ORDERS);
            try (RawClient reader = new RawClient(port, "/api/orders/page?size=5")) {
                assertThat(reader.head()).startsWith("HTTP/1.1 200");
            }
            leave(clients);
            long left = System.nanoTime();
            while (cursors() > 0) {
                assertThat(Duration.ofNanos(System.nanoTime() - left))
                        .as("all clients have left, %s cursors remain", cursors())
                        .isLessThan(Duration.ofSeconds(5));
            }
            System.out.println("all clients left: no cursor after "
                    + Duration.ofNanos(System.nanoTime() - left).toMillis() + " ms");
            assertThat(demo.isAlive()).isTrue();
        } finally {
            leave(clients);
        }
    }

    private static List<String> arguments() {
        List<String> arguments = new ArrayList<>(List.of(
                "--server.port=0",
                "--logging.level.io.reactiverouter.demo=info",
                "--demo.load.users=1000",
                "--demo.load.orders=" + ORDERS,
                "--demo.streams.max=" + CLIENTS,
                "--reactive-router.pool.max-size=" + (CLIENTS + 10),
                "--reactive-router.connection.application-name=slow-clients"));
        for (ShardNode node : SHARDS.nodes()) {
            arguments.add("--reactive-router.shards." + node.name() + ".url=" + node.r2dbcUrl());
        }
        return arguments;
    }

    private static void leave(List<RawClient> clients) throws Exception {
        for (RawClient client : clients) {
            client.close();
        }
        clients.clear();
    }

    /** Returns how many connections of the application are not idle, over all shards. */
    private static long cursors() {
        long cursors = 0;
        for (ShardNode node : SHARDS.nodes()) {
            try (Connection connection = node.openJdbc();
                    Statement statement = connection.createStatement();
                    ResultSet result = statement.executeQuery("select count(*) from pg_stat_activity"
                            + " where state <> 'idle' and application_name = 'slow-clients'")) {
                result.next();
                cursors += result.getLong(1);
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }
        return cursors;
    }
}
