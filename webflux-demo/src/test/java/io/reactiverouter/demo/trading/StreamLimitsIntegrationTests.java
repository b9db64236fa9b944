package io.reactiverouter.demo.trading;

import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.ShardCluster;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardsExtension;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.NullUnmarked;
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

/** Clients that read nothing, and clients that take too long: neither keeps a stream from others for ever. */
@SpringBootTest(
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
        properties = {
            "demo.load.users=1000",
            "demo.load.orders=60000",
            "demo.streams.max=2",
            "demo.streams.idle-timeout=2s",
            "demo.streams.max-duration=10s"
        })
@NullUnmarked
class StreamLimitsIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3);

    private static final String LARGEST = "/api/orders/largest";

    /** Counted from the last row that the connection has taken: the kernel takes some more for a second or two. */
    private static final Duration IDLE = Duration.ofSeconds(6);

    private final JsonMapper json = new JsonMapper();

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

    @ParameterizedTest
    @ValueSource(strings = {LARGEST, "/api/orders/stream"})
    void clientsThatNeverReadLeaveTheirStreamsToOthers(String path) throws Exception {
        List<RawClient> silent = new ArrayList<>();
        try {
            for (int i = 0; i < 2; i++) {
                silent.add(new RawClient(port, path));
            }
            await("both have their cursors", Duration.ofSeconds(10), () -> acquired() == 6);
            try (RawClient next = new RawClient(port, path)) {
                assertThat(next.head()).startsWith("HTTP/1.1 503");
            }
            await("all connections are back", IDLE, () -> acquired() == 0);
            try (RawClient next = new RawClient(port, LARGEST + "?limit=10")) {
                assertThat(next.last()).contains("\"complete\":true");
            }
        } finally {
            for (RawClient client : silent) {
                client.close();
            }
        }
    }

    @Test
    void clientThatReadsOnTooLateIsToldSo() throws Exception {
        try (RawClient client = new RawClient(port, LARGEST)) {
            assertThat(client.rows(10)).hasSize(10);
            await("all connections are back", IDLE, () -> acquired() == 0);

            JsonNode end = json.readTree(client.last());
            assertThat(end.get("error").get("status").asInt()).isEqualTo(408);
            assertThat(end.get("error").get("detail").asString()).isEqualTo("nothing was read for PT2S");
            assertThat(end.get("error").has("shard")).isFalse();
        }
    }

    @Test
    void connectionOfAClientThatNeverReadsIsClosed() throws Exception {
        try (RawClient client = new RawClient(port, LARGEST)) {
            assertThat(client.rows(10)).hasSize(10);
            LockSupport.parkNanos(Duration.ofSeconds(9).toNanos());
            assertThat(client.isCutOff()).as("cut off, without an end").isTrue();
        }
    }

    @Test
    void streamThatTakesTooLongEndsAndSaysSo() throws Exception {
        try (RawClient client = new RawClient(port, LARGEST)) {
            int rows = 0;
            long end = System.nanoTime() + Duration.ofSeconds(11).toNanos();
            while (System.nanoTime() < end) {
                rows += client.rows(20).size();
                LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
            }
            assertThat(acquired()).isZero();
            JsonNode last = json.readTree(client.last());

            assertThat(last.get("error").get("status").asInt()).isEqualTo(408);
            assertThat(last.get("error").get("detail").asString())
                    .isEqualTo("the stream was open for PT10S, the longest that is allowed");
            assertThat(last.get("manifest").get("complete").asBoolean()).isFalse();
            assertThat(last.get("manifest").get("rows").asInt()).isBetween(rows, 59_999);
            assertThat(last.get("manifest").get("shards").findValuesAsString("outcome"))
                    .contains("timed-out");
        }
    }

    private int acquired() {
        return cluster.shards().stream()
                .mapToInt(shard -> cluster.poolStatistics(shard.primary().id()).acquired())
                .sum();
    }

    private static void await(String what, Duration limit, BooleanSupplier condition) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("within %s: %s", limit, what).isLessThan(deadline);
            LockSupport.parkNanos(Duration.ofMillis(10).toNanos());
        }
    }
}
