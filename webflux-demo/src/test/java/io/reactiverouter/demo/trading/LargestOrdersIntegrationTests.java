package io.reactiverouter.demo.trading;

import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardsExtension;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Orders of all shards in one order, with an end that says whether they are all. */
@SpringBootTest(
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
        properties = {"demo.load.users=200", "demo.load.orders=3000"})
@NullUnmarked
class LargestOrdersIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3);

    private static final String NDJSON = "application/x-ndjson";
    private static final String EVENTS = "text/event-stream";

    private final HttpClient http = HttpClient.newHttpClient();
    private final JsonMapper json = new JsonMapper();

    @LocalServerPort
    private int port;

    /** An order as far as its place goes. */
    private record Place(BigDecimal amount, long id) {

        static final Comparator<Place> LARGEST_FIRST =
                Comparator.comparing(Place::amount).reversed().thenComparing(Comparator.comparingLong(Place::id));
    }

    @DynamicPropertySource
    static void shards(DynamicPropertyRegistry registry) {
        for (ShardNode node : SHARDS.nodes()) {
            registry.add("reactive-router.shards." + node.name() + ".url", node::r2dbcUrl);
        }
    }

    @Test
    void linesAreTheSortedUnionOfAllShardsAndThenTheManifest() throws Exception {
        List<JsonNode> lines = lines("");
        JsonNode manifest = lines.remove(lines.size() - 1).get("manifest");

        assertThat(lines.stream().map(LargestOrdersIntegrationTests::place)).isEqualTo(sorted());
        assertThat(manifest.get("complete").asBoolean()).isTrue();
        assertThat(manifest.get("missing")).isEmpty();
        assertThat(manifest.get("rows").asInt()).isEqualTo(3_000);
        assertThat(manifest.get("shards").findValuesAsString("outcome")).containsOnly("complete");
    }

    @Test
    void eventsSayWhatTheyAre() throws Exception {
        HttpResponse<String> response = get("?symbol=FLUX", EVENTS);
        List<String> events = List.of(response.body().strip().split("\n\n"));

        assertThat(response.headers().firstValue("Content-Type")).hasValue(EVENTS + ";charset=UTF-8");
        assertThat(events).hasSizeGreaterThan(100);
        assertThat(events.subList(0, events.size() - 1))
                .allSatisfy(event -> assertThat(event).startsWith("event:order\ndata:{\"orderId\":"));
        assertThat(events.get(events.size() - 1))
                .startsWith("event:manifest\ndata:{\"manifest\":{\"complete\":true,\"missing\":[],");
    }

    @Test
    void limitIsOfTheWholeOrderAndLeavesNothingMissing() throws Exception {
        List<JsonNode> lines = lines("?limit=7");
        JsonNode manifest = lines.remove(lines.size() - 1).get("manifest");

        assertThat(lines.stream().map(LargestOrdersIntegrationTests::place)).isEqualTo(sorted().subList(0, 7));
        assertThat(manifest.get("complete").asBoolean()).isTrue();
        assertThat(manifest.get("rows").asInt()).isEqualTo(7);
    }

    @Test
    void failedShardIsMissingInTheManifest() throws Exception {
        execute("alter table orders rename to orders_elsewhere");
        try {
            List<JsonNode> lines = lines("?bestEffort=true");
            JsonNode manifest = lines.remove(lines.size() - 1).get("manifest");

            assertThat(lines)
                    .isNotEmpty()
                    .allSatisfy(line -> assertThat(line.get("shard").asString()).isNotEqualTo("s1"));
            assertThat(manifest.get("complete").asBoolean()).isFalse();
            assertThat(manifest.get("missing").toString()).isEqualTo("[\"s1\"]");
            assertThat(manifest.get("rows").asInt()).isEqualTo(lines.size());
            assertThat(manifest.get("shards").get(1).toString())
                    .contains("\"outcome\":\"failed\"", "\"sqlState\":\"42P01\"")
                    .doesNotContain("select", "127.0.0.1");

            HttpResponse<String> strict = get("", NDJSON);
            assertThat(strict.statusCode()).isEqualTo(500);
            assertThat(strict.headers().firstValue("Content-Type")).hasValue("application/problem+json");
            assertThat(strict.body()).contains("\"shard\":\"s1\"").doesNotContain("orders where");
        } finally {
            execute("alter table orders_elsewhere rename to orders");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {NDJSON, EVENTS})
    void slowShardIsLeftOutOrAnError(String accept) throws Exception {
        try (Connection connection = SHARDS.nodes().get(1).openJdbc();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("lock table orders in access exclusive mode");

            long start = System.nanoTime();
            String body = get("?bestEffort=true&shardTimeoutMillis=300", accept)
                    .body()
                    .strip();
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
            assertThat(body.substring(body.lastIndexOf('\n')))
                    .contains("{\"manifest\":{\"complete\":false,\"missing\":[\"s1\"]", "\"outcome\":\"timed-out\"");

            HttpResponse<String> strict = get("?shardTimeoutMillis=300", accept);
            assertThat(strict.statusCode()).isEqualTo(503);
            assertThat(strict.headers().firstValue("Content-Type")).hasValue("application/problem+json");
            assertThat(strict.body()).contains("\"shard\":\"s1\"");
        }
    }

    @Test
    void termsAreChecked() throws Exception {
        assertThat(get("?limit=0", NDJSON).body()).contains("limit must be greater than 0");
        assertThat(get("?limit=x", NDJSON).body()).contains("limit must be a number");
        assertThat(get("?shardTimeoutMillis=0", NDJSON).body()).contains("shardTimeoutMillis must be greater than 0");
        assertThat(get("?bestEffort=perhaps", NDJSON).statusCode()).isEqualTo(400);
        assertThat(get("?limit=1", "application/xml").statusCode()).isEqualTo(406);
        assertThat(get("?limit=1", "*/*").headers().firstValue("Content-Type")).hasValue(NDJSON);
    }

    private List<JsonNode> lines(String parameters) throws IOException, InterruptedException {
        HttpResponse<String> response = get(parameters, NDJSON);
        assertThat(response.statusCode()).isEqualTo(200);
        List<JsonNode> lines = new ArrayList<>();
        response.body().lines().forEach(line -> lines.add(json.readTree(line)));
        return lines;
    }

    private HttpResponse<String> get(String parameters, String accept) throws IOException, InterruptedException {
        return http.send(
                HttpRequest.newBuilder(URI.create("http://localhost:" + port + "/api/orders/largest" + parameters))
                        .header("Accept", accept)
                        .timeout(Duration.ofSeconds(20))
                        .build(),
                BodyHandlers.ofString());
    }

    private static Place place(JsonNode line) {
        return new Place(
                line.get("price")
                        .asDecimal()
                        .multiply(line.get("quantity").asDecimal())
                        .setScale(4),
                Long.parseLong(line.get("orderId").asString()));
    }

    /** Reads what is on the servers, without the router, and sorts it here. */
    private static List<Place> sorted() throws SQLException {
        List<Place> orders = new ArrayList<>();
        for (ShardNode node : SHARDS.nodes()) {
            try (Connection connection = node.openJdbc();
                    Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery("select quantity * price, order_id from orders")) {
                while (rows.next()) {
                    orders.add(new Place(rows.getBigDecimal(1).setScale(4), rows.getLong(2)));
                }
            }
        }
        orders.sort(Place.LARGEST_FIRST);
        return orders;
    }

    private static void execute(String sql) {
        SHARDS.nodes().get(1).execute(sql);
    }
}
