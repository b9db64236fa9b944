package io.reactiverouter.demo.trading;

import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.ShardId;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.webtestclient.autoconfigure.AutoConfigureWebTestClient;
import org.springframework.http.HttpMethod;
import org.springframework.http.MediaType;
import org.springframework.http.client.MultipartBodyBuilder;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.web.reactive.server.WebTestClient;
import org.springframework.web.reactive.function.BodyInserters;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import tools.jackson.databind.JsonNode;

/** The application's endpoints on three real shards. */
@SpringBootTest(
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
        properties = {"demo.load.users=200", "demo.load.orders=2000"})
@AutoConfigureWebTestClient(timeout = "PT20S")
@NullUnmarked
class TradingIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3);

    private static final int LOADED = 2_000;

    private final WebTestClient web;
    private final ShardRouter router;
    private final ShardCluster cluster;

    @Autowired
    TradingIntegrationTests(WebTestClient web, ShardRouter router, ShardCluster cluster) {
        this.web = web;
        this.router = router;
        this.cluster = cluster;
    }

    @DynamicPropertySource
    static void shards(DynamicPropertyRegistry registry) {
        for (ShardNode node : SHARDS.nodes()) {
            registry.add("reactive-router.shards." + node.name() + ".url", node::r2dbcUrl);
        }
    }

    @Test
    void orderIsOnTheShardOfItsUserAndOnNoOther() {
        for (long user = 1_000; user < 1_030; user++) {
            String id = (String) web.post()
                    .uri("/api/orders")
                    .bodyValue(order(user, "ACME", "BUY", 10, "12.5"))
                    .exchange()
                    .expectStatus()
                    .isCreated()
                    .expectHeader()
                    .valueEquals("Location", "/api/users/" + user + "/orders")
                    .expectBody(Map.class)
                    .returnResult()
                    .getResponseBody()
                    .get("orderId");

            ShardId home = router.route(ShardKey.of(user)).shard();
            for (ShardNode node : SHARDS.nodes()) {
                long expected = node.name().equals(home.value()) ? 1 : 0;
                assertThat(node.number("select count(*) from orders where order_id = " + id))
                        .as("order of user %s on %s", user, node.name())
                        .isEqualTo(expected);
                assertThat(node.number("select count(*) from trades where order_id = " + id))
                        .isEqualTo(expected);
                assertThat(node.number("select count(*) from positions where user_id = " + user))
                        .isEqualTo(expected);
            }
        }
    }

    @Test
    void limitOrderRestsAndDoesNotTrade() {
        web.post()
                .uri("/api/orders")
                .bodyValue(Map.of(
                        "userId", 2_000, "symbol", "BOLT", "side", "SELL", "quantity", 1, "price", 9, "type", "LIMIT"))
                .exchange()
                .expectStatus()
                .isCreated()
                .expectBody()
                .jsonPath("$.status")
                .isEqualTo("OPEN");
        web.get().uri("/api/users/2000/positions").exchange().expectBody().json("[]");
        web.get()
                .uri("/api/users/2000/orders")
                .exchange()
                .expectBody()
                .jsonPath("$.length()")
                .isEqualTo(1)
                .jsonPath("$[0].type")
                .isEqualTo("LIMIT");
    }

    @Test
    void answerToAWriteSaysWhatLaterReadsMustSee() {
        String token = web.post()
                .uri("/api/orders")
                .bodyValue(Map.of(
                        "userId", 1_999, "symbol", "BOLT", "side", "SELL", "quantity", 1, "price", 9, "type", "LIMIT"))
                .exchange()
                .expectStatus()
                .isCreated()
                .expectHeader()
                .valueMatches("Read-Your-Writes", "s[0-2]:[0-9a-f]+")
                .returnResult()
                .getResponseHeaders()
                .getFirst("Read-Your-Writes");
        web.get()
                .uri("/api/users/1999/orders")
                .header("Read-Your-Writes", token)
                .exchange()
                .expectStatus()
                .isOk()
                .expectHeader()
                .valueEquals("Read-Your-Writes", token)
                .expectBody()
                .jsonPath("$[0].type")
                .isEqualTo("LIMIT");
        web.get()
                .uri("/api/users/1999/orders")
                .exchange()
                .expectHeader()
                .doesNotExist("Read-Your-Writes")
                .expectBody();
        web.get()
                .uri("/api/users/1999/orders")
                .header("Read-Your-Writes", "s0:xyz")
                .exchange()
                .expectStatus()
                .isBadRequest()
                .expectBody();
    }

    /** Orders of one user at the same time: the position must be their exact sum. */
    @Test
    void positionIsTheSumOfConcurrentOrders() {
        Flux.fromStream(IntStream.range(0, 100).boxed())
                .flatMap(
                        i -> Mono.fromRunnable(() -> web.post()
                                        .uri("/api/orders")
                                        .bodyValue(order(3_000, "CORE", i % 4 == 0 ? "SELL" : "BUY", 3, "0.1001"))
                                        .exchange()
                                        .expectStatus()
                                        .isCreated()
                                        .expectBody())
                                .subscribeOn(Schedulers.boundedElastic()),
                        16)
                .blockLast(Duration.ofSeconds(30));

        web.get()
                .uri("/api/users/3000/positions")
                .exchange()
                .expectBody()
                .jsonPath("$[0].quantity")
                .isEqualTo(150)
                .jsonPath("$[0].cost")
                .value(cost -> assertThat(new BigDecimal(cost.toString())).isEqualByComparingTo("15.015"));
    }

    @Test
    void ordersOfAUserComeLatestFirstAndNoMoreThanAskedFor() {
        for (int i = 1; i <= 5; i++) {
            web.post()
                    .uri("/api/orders")
                    .bodyValue(order(4_000, "ECHO", "BUY", i, "1"))
                    .exchange()
                    .expectStatus()
                    .isCreated()
                    .expectBody();
        }
        web.get()
                .uri("/api/users/4000/orders?limit=3")
                .exchange()
                .expectBody()
                .jsonPath("$[*].quantity")
                .isEqualTo(List.of(5, 4, 3));
    }

    @ParameterizedTest
    @CsvSource({"application/x-ndjson", "text/event-stream"})
    void streamGivesTheOrdersOfAllShardsInTheFormAskedForAndThenTheManifest(String mediaType) {
        List<JsonNode> elements = web.get()
                .uri("/api/orders/stream?symbol=FLUX&status=FILLED&side=BUY&minAmount=100")
                .accept(MediaType.parseMediaType(mediaType))
                .exchange()
                .expectStatus()
                .isOk()
                .expectHeader()
                .contentTypeCompatibleWith(mediaType)
                .expectBodyList(JsonNode.class)
                .returnResult()
                .getResponseBody();
        JsonNode manifest = elements.remove(elements.size() - 1).get("manifest");

        long expected = 0;
        for (ShardNode node : SHARDS.nodes()) {
            expected += node.number(
                    "select count(*) from orders where symbol = 'FLUX' and status = 'FILLED' and side = 'BUY'"
                            + " and quantity * price >= 100");
        }
        assertThat(expected).isPositive();
        assertThat(elements).hasSize((int) expected).allSatisfy(order -> {
            assertThat(order.get("symbol").asString()).isEqualTo("FLUX");
            ShardKey user = ShardKey.of(order.get("userId").asLong());
            assertThat(order.get("shard").asString())
                    .isEqualTo(router.route(user).shard().value());
        });
        assertThat(elements).extracting(order -> order.get("shard").asString()).contains("s0", "s1", "s2");
        assertThat(manifest.get("complete").asBoolean()).isTrue();
        assertThat(manifest.get("rows").asLong()).isEqualTo(expected);
        assertThat(manifest.get("shards").findValuesAsString("outcome")).containsOnly("complete");
    }

    @Test
    void volumeIsTheSumOverAllShards() {
        List<Volume> volumes = web.get()
                .uri("/api/volume")
                .exchange()
                .expectBodyList(Volume.class)
                .returnResult()
                .getResponseBody();

        assertThat(volumes).extracting(Volume::symbol).isSorted().contains("ACME", "HELIO");
        Volume helio = volumes.stream()
                .filter(volume -> volume.symbol().equals("HELIO"))
                .findFirst()
                .orElseThrow();
        long pieces = 0;
        for (ShardNode node : SHARDS.nodes()) {
            pieces += node.number("select coalesce(sum(quantity), 0) from trades where symbol = 'HELIO'");
        }
        assertThat(helio.quantity()).isEqualByComparingTo(BigDecimal.valueOf(pieces));
    }

    @Test
    void everyShardIsSummarised() {
        List<ShardSummary> shards = web.get()
                .uri("/api/shards")
                .exchange()
                .expectBodyList(ShardSummary.class)
                .returnResult()
                .getResponseBody();

        assertThat(shards).extracting(ShardSummary::shard).containsExactly("s0", "s1", "s2");
        assertThat(shards).allSatisfy(shard -> {
            assertThat(shard.databaseBytes()).isPositive();
            assertThat(shard.users()).isPositive();
        });
        assertThat(shards.stream().mapToLong(ShardSummary::orders).sum()).isGreaterThanOrEqualTo(LOADED);
    }

    @Test
    void loadedRowsAreWhereTheRouterLooksForThem() {
        for (ShardNode node : SHARDS.nodes()) {
            cluster.shard(ShardId.of(node.name()))
                    .query(Query.of("select user_id from users"), row -> OrderView.required(row, 0, Long.class))
                    .doOnNext(user -> assertThat(router.route(ShardKey.of(user)).shard())
                            .as("shard of user %s", user)
                            .isEqualTo(ShardId.of(node.name())))
                    .blockLast(Duration.ofSeconds(10));
        }
    }

    @Test
    void sampleIsAFunctionOfItsSeed() {
        LoadProperties load = new LoadProperties(true, 200, 2_000, 20_261_121L);

        assertThat(SampleOrders.generate(load)).isEqualTo(SampleOrders.generate(load));
        assertThat(SampleOrders.generate(load).hashCode())
                .isNotEqualTo(SampleOrders.generate(new LoadProperties(true, 200, 2_000, 1L))
                        .hashCode());
        long checksum = SHARDS.nodes().stream()
                .mapToLong(node ->
                        node.number("select coalesce(sum(order_id % 1000003 + user_id * quantity), 0) from orders"
                                + " where created_at < '2026-02-01' and user_id <= 200"))
                .sum();
        long expected = SampleOrders.generate(load).stream()
                .mapToLong(sample -> sample.id() % 1_000_003 + sample.userId() * sample.quantity())
                .sum();
        assertThat(checksum).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    {"userId":0,"symbol":"ACME","side":"BUY","quantity":1,"price":1}        | userId must be greater than 0
                    {"symbol":"ACME","side":"BUY","quantity":1,"price":1}                   | userId must not be null
                    {"userId":"x","symbol":"ACME","side":"BUY","quantity":1,"price":1}      | userId must be a number
                    {"userId":1,"symbol":"acme","side":"BUY","quantity":1,"price":1}        | symbol must be 1 to 8 capital letters
                    {"userId":1,"symbol":"ACME","side":"HOLD","quantity":1,"price":1}       | side must be one of [BUY, SELL]
                    {"userId":1,"symbol":"ACME","side":"BUY","quantity":0,"price":1}        | quantity must be greater than 0
                    {"userId":1,"symbol":"ACME","side":"BUY","quantity":1000001,"price":1}  | quantity must be less than or equal to 1000000
                    {"userId":1,"symbol":"ACME","side":"BUY","quantity":1,"price":-1}       | price must be greater than 0
                    {"userId":1,"symbol":"ACME","side":"BUY","quantity":1,"price":1.00001}  | price numeric value out of bounds
                    {"userId":1,"symbol":"ACME","side":"BUY","quantity":1,"price":1e999999999} | price must be less than or equal to 999999999.9999
                    {"userId":1,"symbol":"ACME","side":"BUY","quantity":1,"price":1,"type":"STOP"} | type must be one of [MARKET, LIMIT]
                    {"userId":                                                              | not valid JSON
                    """)
    void badOrderIsExplained(String body, String message) {
        web.post()
                .uri("/api/orders")
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue(body)
                .exchange()
                .expectStatus()
                .isBadRequest()
                .expectHeader()
                .contentTypeCompatibleWith(MediaType.APPLICATION_PROBLEM_JSON)
                .expectBody()
                .jsonPath("$.detail")
                .value(detail -> assertThat(detail.toString()).contains(message).doesNotContain("io.reactiverouter"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    /api/users/abc/orders            | id must be a number
                    /api/users/0/positions           | id must be greater than 0
                    /api/users/1/orders?limit=0      | limit must be greater than 0
                    /api/users/1/orders?limit=501    | limit must be less than or equal to 500
                    /api/orders/stream?side=HOLD     | side must be one of [BUY, SELL]
                    /api/orders/stream?symbol=a'--   | symbol must be 1 to 8 capital letters
                    /api/orders/stream?minAmount=x   | minAmount must be a number
                    /api/orders/stream?pace=0        | pace must be greater than 0
                    /api/orders/stream?minAmount=1e999999999 | minAmount must be less than or equal to 99999999999999
                    """)
    void badParameterIsExplained(String uri, String message) {
        web.get()
                .uri(uri)
                .exchange()
                .expectStatus()
                .isBadRequest()
                .expectHeader()
                .contentTypeCompatibleWith(MediaType.APPLICATION_PROBLEM_JSON)
                .expectBody()
                .jsonPath("$.detail")
                .isEqualTo(message);
    }

    /** WebFlux would read such a body into memory and files for a parameter of a bound object, whatever the method. */
    @Test
    void bodyOfAReadIsNotLookedAt() {
        MultipartBodyBuilder body = new MultipartBodyBuilder();
        body.part("symbol", "not a symbol");

        web.method(HttpMethod.GET)
                .uri("/api/orders/stream?symbol=NONE")
                .accept(MediaType.APPLICATION_NDJSON)
                .body(BodyInserters.fromMultipartData(body.build()))
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody()
                .jsonPath("$.manifest.rows")
                .isEqualTo(0);
    }

    @Test
    void apiIsDescribed() {
        web.get()
                .uri("/v3/api-docs")
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody()
                .jsonPath("$.paths['/api/orders'].post")
                .exists()
                .jsonPath("$.paths['/api/orders/stream'].get.parameters.length()")
                .isEqualTo(5);
        web.get().uri("/swagger-ui/index.html").exchange().expectStatus().isOk().expectBody();
    }

    private static Map<String, Object> order(long user, String symbol, String side, int quantity, String price) {
        return Map.of(
                "userId", user, "symbol", symbol, "side", side, "quantity", quantity, "price", new BigDecimal(price));
    }
}
