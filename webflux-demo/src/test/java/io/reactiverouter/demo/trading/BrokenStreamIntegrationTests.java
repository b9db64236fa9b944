package io.reactiverouter.demo.trading;

import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.ShardCluster;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardsExtension;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Ordered streams that do not run smoothly to their end: the client stops, leaves, or a shard goes away. */
@SpringBootTest(
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
        properties = {
            "demo.load.users=1000",
            "demo.load.orders=60000",
            "reactive-router.connection.application-name=broken-stream-tests"
        })
@Tag("undisturbed")
@NullUnmarked
class BrokenStreamIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3);

    private static final int ORDERS = 60_000;
    private static final String STREAM = "/api/orders/largest";
    private static final List<Relay> RELAYS = new ArrayList<>();

    private final JsonMapper json = new JsonMapper();

    @LocalServerPort
    private int port;

    @Autowired
    private ShardCluster cluster;

    @DynamicPropertySource
    static void shards(DynamicPropertyRegistry registry) throws IOException {
        for (ShardNode node : SHARDS.nodes()) {
            Relay relay = new Relay(node);
            RELAYS.add(relay);
            registry.add("reactive-router.shards." + node.name() + ".url", relay::r2dbcUrl);
        }
        // The relays count bytes, and would count those of probes.
        registry.add("reactive-router.health.interval", () -> "1h");
        registry.add("reactive-router.observability.row-sampling", () -> "0");
    }

    @AfterAll
    static void closeRelays() throws IOException {
        for (Relay relay : RELAYS) {
            relay.close();
        }
    }

    @AfterEach
    void nothingIsKept() {
        await("all connections are back", Duration.ofSeconds(5), () -> acquired() == 0);
    }

    @Test
    void clientThatStopsReadingStopsTheServers() throws Exception {
        long before = sent();
        try (RawClient client = new RawClient(port, STREAM)) {
            assertThat(client.rows(10)).hasSize(10);
            await("the servers have nothing more to do", Duration.ofSeconds(15), BrokenStreamIntegrationTests::isQuiet);
            long stalled = sent() - before;
            String states = activity();
            assertThat(acquired()).as("one connection of each shard").isEqualTo(3);
            LockSupport.parkNanos(Duration.ofSeconds(2).toNanos());
            assertThat(sent() - before).as("bytes, two seconds later").isEqualTo(stalled);
            assertThat(activity()).as("states of the connections").isEqualTo(states);

            JsonNode manifest = json.readTree(client.last()).get("manifest");
            assertThat(manifest.get("complete").asBoolean()).isTrue();
            assertThat(manifest.get("rows").asInt()).isEqualTo(ORDERS);
            long whole = sent() - before;
            System.out.printf(
                    "client that read 10 of %d rows: servers sent %,d of %,d bytes%n", ORDERS, stalled, whole);
            assertThat(stalled).isLessThan(whole / 2);
        }
    }

    @Test
    void clientThatLeavesFreesEverythingWithinASecond() throws Exception {
        long slowest = 0;
        for (int i = 0; i < 12; i++) {
            RawClient client = new RawClient(port, STREAM);
            assertThat(client.rows(i % 2 == 0 ? 10 : 2_000)).isNotEmpty();
            if (i % 4 == 0) {
                await("the stream stands still", Duration.ofSeconds(15), BrokenStreamIntegrationTests::isQuiet);
            }
            assertThat(acquired()).isEqualTo(3);
            client.close();
            long start = System.nanoTime();
            await("all connections are back", Duration.ofSeconds(1), () -> acquired() == 0);
            await("nothing runs on a shard", Duration.ofSeconds(1), () -> busy() == 0);
            slowest = Math.max(slowest, System.nanoTime() - start);
        }
        System.out.println("12 clients left: everything free after at most "
                + Duration.ofNanos(slowest).toMillis() + " ms");
        assertThat(slowest).isLessThan(Duration.ofSeconds(1).toNanos());
    }

    @ParameterizedTest
    @ValueSource(strings = {STREAM, "/api/orders/stream"})
    void shardThatGoesAwayBreaksTheStreamVisibly(String path) throws Exception {
        try (RawClient client = new RawClient(port, path)) {
            assertThat(client.rows(10)).hasSize(10);
            killOnS1();
            String last = client.last();

            assertThat(last).as("the last line before the end of the body").isNotNull();
            JsonNode end = json.readTree(last);
            assertThat(end.get("error").get("status").asInt()).isEqualTo(503);
            assertThat(end.get("error").get("shard").asString()).isEqualTo("s1");
            assertThat(end.get("manifest").get("complete").asBoolean()).isFalse();
            assertThat(end.get("manifest").get("missing").toString()).contains("s1");
            assertThat(last).doesNotContain("127.0.0.1", "select", "administrator");
        }
    }

    @Test
    void shardThatGoesAwayIsMissingInTheManifestOfABestEffort() throws Exception {
        try (RawClient client = new RawClient(port, STREAM + "?bestEffort=true")) {
            assertThat(client.rows(10)).hasSize(10);
            killOnS1();
            JsonNode manifest = json.readTree(client.last()).get("manifest");

            assertThat(manifest.get("complete").asBoolean()).isFalse();
            assertThat(manifest.get("missing").toString()).isEqualTo("[\"s1\"]");
            assertThat(manifest.get("rows").asInt()).isBetween(ORDERS / 2, ORDERS - 1);
            assertThat(manifest.get("shards").findValuesAsString("outcome"))
                    .containsExactly("complete", "failed", "complete");
        }
    }

    /** The first rows can come while this shard is still being asked. */
    private static void killOnS1() {
        await(
                "a cursor to kill",
                Duration.ofSeconds(5),
                () -> SHARDS.nodes()
                                .get(1)
                                .number(
                                        "select count(*) from (select pg_terminate_backend(pid) from pg_stat_activity where state"
                                                + " <> 'idle' and application_name = 'broken-stream-tests'"
                                                // Not a connection that is only being opened: then the call waits for
                                                // another.
                                                + " and query like '%from orders%'"
                                                + " and datname = current_database()) k")
                        == 1);
    }

    /** Says whether the servers send nothing for a while. */
    private static boolean isQuiet() {
        long before = sent();
        LockSupport.parkNanos(Duration.ofMillis(300).toNanos());
        return sent() == before;
    }

    private static long sent() {
        return RELAYS.stream().mapToLong(Relay::sent).sum();
    }

    private int acquired() {
        return cluster.shards().stream()
                .mapToInt(shard -> cluster.poolStatistics(shard.primary().id()).acquired())
                .sum();
    }

    /** Returns how many connections of the application are not idle, over all shards. */
    private static long busy() {
        return SHARDS.nodes().stream()
                .mapToLong(node -> node.number("select count(*) from pg_stat_activity where state <> 'idle'"
                        + " and application_name = 'broken-stream-tests' and datname = current_database()"))
                .sum();
    }

    /** Returns a number that changes whenever a server is asked for more rows. */
    private static String activity() {
        StringBuilder activity = new StringBuilder();
        for (ShardNode node : SHARDS.nodes()) {
            activity.append(node.number("select coalesce(sum((extract(epoch from state_change) * 1000000)::bigint), 0)"
                            + " from pg_stat_activity where state <> 'idle'"
                            + " and application_name = 'broken-stream-tests' and datname = current_database()"))
                    .append(' ');
        }
        return activity.toString();
    }

    private static void await(String what, Duration limit, BooleanSupplier condition) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("within %s: %s", limit, what).isLessThan(deadline);
            LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
        }
    }
}
