package io.reactiverouter.demo.trading;

import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.ShardCluster;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardsExtension;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

/** Clients of the stream on real sockets: some leave, some are slow. */
@SpringBootTest(
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
        properties = {
            "demo.load.users=1000",
            "demo.load.orders=400000",
            "reactive-router.connection.application-name=stream-tests"
        })
@NullUnmarked
class StreamIntegrationTests {

    private static final String STREAM = "/api/orders/stream";

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3);

    @LocalServerPort
    private int port;

    @Autowired
    private ShardCluster cluster;

    @DynamicPropertySource
    static void shards(DynamicPropertyRegistry registry) {
        for (ShardNode node : SHARDS.nodes()) {
            registry.add("reactive-router.shards." + node.name() + ".url", node::r2dbcUrl);
        }
    }

    @Test
    void clientThatReadsTenRowsAndLeavesKeepsNothing() throws IOException {
        for (int i = 0; i < 20; i++) {
            try (RawClient client = new RawClient(port, STREAM)) {
                assertThat(client.rows(10)).hasSize(10);
                assertThat(acquired()).isPositive();
            }
            await("all connections are back", () -> acquired() == 0);
        }
        await("nothing runs on a shard", () -> busy() == 0);
    }

    /** A client that stops reading: neither does the application read on, nor do the shards send on. */
    @Test
    void slowClientsDoNotGrowTheHeap() throws IOException {
        try (RawClient warmUp = new RawClient(port, STREAM)) {
            warmUp.rows(100_000);
        }
        await("all connections are back", () -> acquired() == 0);
        long before = usedHeap();
        List<RawClient> slow = new ArrayList<>();
        try {
            for (int i = 0; i < 8; i++) {
                RawClient client = new RawClient(port, STREAM);
                slow.add(client);
                assertThat(client.rows(10)).hasSize(10);
            }
            pause(Duration.ofSeconds(3));
            long grown = usedHeap() - before;
            System.out.println("8 stalled clients of a stream of 400000 rows: heap " + before / 1024
                    + " KiB before, grown by " + grown / 1024 + " KiB");
            // All rows of one stream alone would be about 100 MB.
            assertThat(grown).isLessThan(32L << 20);
            assertThat(acquired()).as("the streams are still open").isEqualTo(24);
            assertThat(busy()).as("cursors that wait for their client").isEqualTo(24);

            assertThat(slow.get(0).rows(399_990))
                    .as("the rest arrives when the client reads on")
                    .hasSize(399_990);
        } finally {
            for (RawClient client : slow) {
                client.close();
            }
        }
        await("all connections are back", () -> acquired() == 0);
        await("nothing runs on a shard", () -> busy() == 0);
    }

    /** Stalled streams up to the limit: the next is told so, and everybody else is served. */
    @Test
    void stalledStreamsLeaveConnectionsForOthers() throws IOException {
        List<RawClient> stalled = new ArrayList<>();
        try {
            for (int i = 0; i < 8; i++) {
                RawClient client = new RawClient(port, STREAM);
                stalled.add(client);
                client.rows(10);
            }
            try (RawClient next = new RawClient(port, STREAM)) {
                assertThat(next.head())
                        .startsWith("HTTP/1.1 503")
                        .contains("all 8 streams are in use; try again later");
            }
            try (RawClient reader = new RawClient(port, "/api/users/1/orders?limit=1")) {
                assertThat(reader.head()).startsWith("HTTP/1.1 200");
            }
        } finally {
            for (RawClient client : stalled) {
                client.close();
            }
        }
        await("all connections are back", () -> acquired() == 0);
        try (RawClient again = new RawClient(port, STREAM)) {
            assertThat(again.rows(10)).hasSize(10);
        }
        await("all connections are back", () -> acquired() == 0);
    }

    private int acquired() {
        return cluster.shards().stream()
                .mapToInt(shard -> cluster.poolStatistics(shard.primary().id()).acquired())
                .sum();
    }

    /** Returns how many connections of the application are not idle, over all shards. */
    private static long busy() {
        return SHARDS.nodes().stream()
                .mapToLong(node -> node.number("select count(*) from pg_stat_activity"
                        + " where state <> 'idle' and application_name = 'stream-tests'"))
                .sum();
    }

    private static long usedHeap() {
        for (int i = 0; i < 3; i++) {
            System.gc();
            pause(Duration.ofMillis(50));
        }
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + Duration.ofSeconds(5).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("within five seconds: " + what).isLessThan(deadline);
            pause(Duration.ofMillis(10));
        }
    }

    private static void pause(Duration time) {
        LockSupport.parkNanos(time.toNanos());
    }
}
