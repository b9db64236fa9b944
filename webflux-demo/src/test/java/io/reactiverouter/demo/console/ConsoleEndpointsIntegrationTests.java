package io.reactiverouter.demo.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.reactiverouter.Query;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.demo.DemoApplication;
import io.reactiverouter.demo.IdleLimit.IdleClientException;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardsExtension;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.boot.webtestclient.autoconfigure.AutoConfigureWebTestClient;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.ParameterizedTypeReference;
import org.springframework.http.MediaType;
import org.springframework.http.codec.ServerSentEvent;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.web.reactive.server.WebTestClient;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.client.WebClientResponseException;
import org.springframework.web.server.ResponseStatusException;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.test.StepVerifier;
import reactor.util.retry.Retry;
import tools.jackson.databind.JsonNode;

/** What the console asks the application, without a browser. */
@SpringBootTest(
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
        properties = {
            "demo.load.users=300",
            "demo.load.orders=900",
            "demo.console.interval=200ms",
            "demo.console.heartbeat=300ms",
            "demo.console.row-sampling=500ms",
            "demo.console.idle-timeout=2s",
            "demo.console.max-viewers=2"
        })
@AutoConfigureWebTestClient(timeout = "PT20S")
@NullUnmarked
class ConsoleEndpointsIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3);

    private static final Duration LIMIT = Duration.ofSeconds(15);
    private static final String LIVE = "/api/console/live";

    private final WebTestClient web;
    private final ShardRouter router;
    private final LiveStatus live;

    @LocalServerPort
    private int port;

    @Autowired
    ConsoleEndpointsIntegrationTests(WebTestClient web, ShardRouter router, LiveStatus live) {
        this.web = web;
        this.router = router;
        this.live = live;
    }

    @DynamicPropertySource
    static void shards(DynamicPropertyRegistry registry) {
        for (ShardNode node : SHARDS.nodes()) {
            registry.add("reactive-router.shards." + node.name() + ".url", node::r2dbcUrl);
        }
    }

    @Test
    void pageIsToldOfEveryShardAgainAndAgain() {
        SHARDS.nodes().forEach(node -> node.execute("analyze"));
        JsonNode snapshot = first(data -> shards(data, "/health").equals(List.of("up", "up", "up"))
                && data.at("/shards/2/rows").asLong() > 0);

        assertThat(shards(snapshot, "/shard")).containsExactly("s0", "s1", "s2");
        assertThat(snapshot.get("keyspace").asString()).isEqualTo("trading");
        for (int i = 0; i < 3; i++) {
            JsonNode node = snapshot.at("/shards/" + i + "/nodes/0");
            assertThat(node.get("role").asString()).isEqualTo("primary");
            assertThat(node.get("writes").asBoolean()).isTrue();
            assertThat(node.at("/pool/max").asInt()).isEqualTo(16);
            assertThat(node.get("endpoint").asString())
                    .isEqualTo("127.0.0.1:" + SHARDS.nodes().get(i).port());
        }
    }

    @Test
    void callsShowInTheFiguresOfTheirShard() {
        ShardKey user = ShardKey.of(1);
        int home = Integer.parseInt(router.route(user).shard().value().substring(1));
        Disposable calls = router.shard(user)
                .queryOne(Query.of("select 1"), row -> row.get(0, Integer.class))
                .repeat()
                .subscribe();
        try {
            JsonNode snapshot =
                    first(data -> data.at("/shards/" + home + "/qps").asDouble() > 1
                            && data.get("calls").size() > 0);
            assertThat(snapshot.at("/shards/" + home + "/p50Millis").asDouble()).isPositive();
            assertThat(snapshot.at("/shards/" + home + "/p99Millis").asDouble())
                    .isGreaterThanOrEqualTo(
                            snapshot.at("/shards/" + home + "/p50Millis").asDouble());
            assertThat(snapshot.at("/calls/0/shards/0").asString()).isEqualTo("s" + home);
        } finally {
            calls.dispose();
        }
    }

    /** Messages of servers quote values and statements: the console has the kind of an error, and no word of theirs. */
    @Test
    void failedCallIsShownWithoutWhatTheServerSaid() {
        Query failing = Query.of("select ($1 || ' is no number')::int", "secret-4711");
        assertThatThrownBy(() -> router.shard(ShardKey.of(1))
                .query(failing, row -> row.get(0, Integer.class))
                .blockLast(LIMIT));

        JsonNode snapshot = first(data -> data.get("failures").size() > 0);
        JsonNode failure = snapshot.at("/failures/0");
        assertThat(failure.get("sqlState").asString()).isEqualTo("22P02");
        assertThat(failure.get("error").asString()).endsWith("Exception");
        assertThat(failure.get("operation").asString()).isEqualTo("query");
        assertThat(failure.get("keyspace").asString()).isEqualTo("trading");
        assertThat(failure.get("outcome").asString()).isEqualTo("error");
        assertThat(failure.get("sql").isNull()).isTrue();
        assertThat(snapshot.toString()).doesNotContain("secret-4711").doesNotContain("is no number");
    }

    @Test
    void heartbeatsComeBetweenTheSnapshots() {
        List<String> kinds = whenThereIsRoom()
                .map(event -> event.comment() == null ? "snapshot" : event.comment())
                .takeUntil(new Predicate<>() {
                    private int heartbeats;

                    @Override
                    public boolean test(String kind) {
                        heartbeats += kind.equals("heartbeat") ? 1 : 0;
                        return heartbeats == 3;
                    }
                })
                .collectList()
                .block(LIMIT);

        assertThat(kinds.subList(kinds.indexOf("heartbeat"), kinds.size()))
                .contains("snapshot")
                .containsOnly("heartbeat", "snapshot");
    }

    @Test
    void oneViewerTooManyIsToldSoAndOneThatLeavesMakesRoom() throws Exception {
        List<Disposable> viewers = new ArrayList<>();
        try {
            for (int i = 0; i < 2; i++) {
                CountDownLatch looks = new CountDownLatch(1);
                viewers.add(whenThereIsRoom().subscribe(event -> looks.countDown(), error -> {}));
                assertThat(looks.await(15, TimeUnit.SECONDS)).as("viewer %s", i).isTrue();
            }
            web.get()
                    .uri(LIVE)
                    .accept(MediaType.TEXT_EVENT_STREAM)
                    .exchange()
                    .expectStatus()
                    .isEqualTo(503)
                    .expectHeader()
                    .contentTypeCompatibleWith(MediaType.APPLICATION_PROBLEM_JSON)
                    .expectBody()
                    .jsonPath("$.detail")
                    .isEqualTo("the console is open 2 times, the most that demo.console.max-viewers allows;"
                            + " close another one, or try again later");

            viewers.get(0).dispose();
            assertThat(whenThereIsRoom().blockFirst(LIMIT)).isNotNull();
        } finally {
            viewers.forEach(Disposable::dispose);
        }
    }

    @Test
    void viewerWhoReadsNothingMakesRoom() {
        StepVerifier.create(live.events().retryWhen(untilThereIsRoom()), 0)
                .expectSubscription()
                .expectError(IdleClientException.class)
                .verify(LIMIT);
    }

    @Test
    @Tag("undisturbed")
    void openPagesDoNotHoldUpTheEndOfTheApplication() throws Exception {
        CompletableFuture<Void> ended = new CompletableFuture<>();
        CountDownLatch looks = new CountDownLatch(1);
        ConfigurableApplicationContext application = start();
        try {
            events(port(application))
                    .subscribe(event -> looks.countDown(), ended::completeExceptionally, () -> ended.complete(null));
            assertThat(looks.await(15, TimeUnit.SECONDS)).isTrue();
        } finally {
            long start = System.nanoTime();
            application.close();
            assertThat(Duration.ofNanos(System.nanoTime() - start))
                    .as("time to close, with a grace period of 5 s for requests")
                    .isLessThan(Duration.ofSeconds(4));
        }
        ended.get(5, TimeUnit.SECONDS);
    }

    private static ConfigurableApplicationContext start(String... more) {
        List<String> arguments = new ArrayList<>(List.of("--server.port=0", "--demo.load.enabled=false"));
        arguments.addAll(List.of(more));
        for (ShardNode node : SHARDS.nodes()) {
            arguments.add("--reactive-router.shards." + node.name() + ".url=" + node.r2dbcUrl());
        }
        return new SpringApplicationBuilder(DemoApplication.class).run(arguments.toArray(String[]::new));
    }

    private static int port(ConfigurableApplicationContext application) {
        return Integer.parseInt(application.getEnvironment().getProperty("local.server.port"));
    }

    @Test
    void nothingOfItIsThereWhenItIsSwitchedOff() {
        try (ConfigurableApplicationContext application = start("--demo.console.enabled=false")) {
            WebTestClient other = WebTestClient.bindToServer()
                    .baseUrl("http://127.0.0.1:" + port(application))
                    .responseTimeout(LIMIT)
                    .build();
            for (String path : List.of(
                    "/console",
                    "/console/",
                    "/console/index.html",
                    "/console/console.js",
                    LIVE,
                    "/api/console/placement")) {
                other.get().uri(path).exchange().expectStatus().isNotFound().expectBody();
            }
            other.get()
                    .uri("/")
                    .exchange()
                    .expectStatus()
                    .isFound()
                    .expectHeader()
                    .location("/swagger-ui.html")
                    .expectBody();
            assertThat(application.getBeansOfType(LiveStatus.class)).isEmpty();
            assertThat(application.getBeansOfType(Snapshots.class)).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {42, 1, 0, -7, Long.MAX_VALUE, Long.MIN_VALUE})
    void keyIsWhereTheServerHashesItTo(long key) {
        long token = SHARDS.nodes().get(0).number("select hashint8extended(" + literal(key) + ", 0)");
        long slot = SHARDS.nodes().get(0).number("select (hashint8extended(" + literal(key) + ", 0) >> 50) & 16383");

        web.get()
                .uri("/api/console/locate?key=" + key)
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody()
                .jsonPath("$.key")
                .isEqualTo(Long.toString(key))
                .jsonPath("$.token")
                .isEqualTo(Long.toString(token))
                .jsonPath("$.slot")
                .isEqualTo((int) slot)
                .jsonPath("$.shard")
                .isEqualTo(router.route(ShardKey.of(key)).shard().value())
                .jsonPath("$.strategy")
                .isEqualTo("hash-slots")
                .jsonPath("$.why[1]")
                .isEqualTo("Its top 14 bits, (token >> 50) & 16383, are slot " + slot + ".")
                .jsonPath("$.nodes.length()")
                .isEqualTo(1);
    }

    private static String literal(long key) {
        return "'" + key + "'::bigint";
    }

    @ParameterizedTest
    @CsvSource({
        "abc, abc",
        "4.2, 4.2",
        "9223372036854775808, 9223372036854775808",
        "'', ''",
        "<img src=x onerror=alert(1)>, <img src=x onerror=alert(1)>",
        "12345678901234567890123456789012345678901234567890, 1234567890123456789012345678901234567890..."
    })
    void keyThatIsNoneIsExplained(String key, String shown) {
        web.get()
                .uri(uri -> uri.path("/api/console/locate")
                        .queryParam("key", "{key}")
                        .build(key))
                .exchange()
                .expectStatus()
                .isBadRequest()
                .expectHeader()
                .contentTypeCompatibleWith(MediaType.APPLICATION_PROBLEM_JSON)
                .expectBody()
                .jsonPath("$.detail")
                .isEqualTo("key must be a whole number of 64 bits, as 42, because the keyspace has integer keys;"
                        + " was \"" + shown + "\"");
    }

    @Test
    void missingKeyIsExplained() {
        web.get()
                .uri("/api/console/locate")
                .exchange()
                .expectStatus()
                .isBadRequest()
                .expectBody()
                .jsonPath("$.detail")
                .isEqualTo("Required query parameter 'key' is not present.");
    }

    @Test
    void slotRangesHaveNoGap() {
        JsonNode placement = web.get()
                .uri("/api/console/placement")
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody(JsonNode.class)
                .returnResult()
                .getResponseBody();

        int next = 0;
        for (JsonNode range : placement.get("ranges")) {
            assertThat(range.get("from").asInt()).isEqualTo(next);
            next = range.get("to").asInt() + 1;
        }
        assertThat(next).isEqualTo(placement.get("slots").asInt()).isEqualTo(16_384);
        assertThat(placement.get("strategy").asString()).isEqualTo("hash-slots");
    }

    @Test
    void homeLeadsToThePageWhichRunsNothingButItsOwnScripts() {
        web.get()
                .uri("/")
                .exchange()
                .expectStatus()
                .isFound()
                .expectHeader()
                .location("/console/")
                .expectBody();
        web.get().uri("/console").exchange().expectStatus().is3xxRedirection().expectBody();
        for (String path : List.of("/console/", "/console/index.html", "/%63onsole/index.html")) {
            String page = web.get()
                    .uri(URI.create("http://127.0.0.1:" + port + path))
                    .exchange()
                    .expectStatus()
                    .isOk()
                    .expectHeader()
                    .contentTypeCompatibleWith(MediaType.TEXT_HTML)
                    .expectHeader()
                    .value(
                            "Content-Security-Policy",
                            policy -> assertThat(policy)
                                    .startsWith("default-src 'self';")
                                    .doesNotContain("unsafe"))
                    .expectBody(String.class)
                    .returnResult()
                    .getResponseBody();
            assertThat(page).doesNotContain("http:").doesNotContain("https:").doesNotContain("style=");
        }
        web.get()
                .uri("/webjars/chart.js/dist/chart.umd.min.js")
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody();
    }

    private Flux<ServerSentEvent<JsonNode>> events() {
        return events(port);
    }

    private static Flux<ServerSentEvent<JsonNode>> events(int port) {
        return WebClient.create("http://127.0.0.1:" + port)
                .get()
                .uri(LIVE)
                .accept(MediaType.TEXT_EVENT_STREAM)
                .retrieve()
                .bodyToFlux(new ParameterizedTypeReference<>() {});
    }

    /** Returns the first snapshot of which this holds. */
    private JsonNode first(Predicate<JsonNode> wanted) {
        return whenThereIsRoom()
                .mapNotNull(ServerSentEvent::data)
                .filter(wanted)
                .next()
                .block(LIMIT);
    }

    /** A page that has left is heard of when its connection is closed. */
    private Flux<ServerSentEvent<JsonNode>> whenThereIsRoom() {
        return events().retryWhen(untilThereIsRoom());
    }

    private static Retry untilThereIsRoom() {
        return Retry.fixedDelay(LIMIT.toMillis() / 20, Duration.ofMillis(20))
                .filter(error -> error instanceof WebClientResponseException.ServiceUnavailable
                        || error instanceof ResponseStatusException);
    }

    private static List<String> shards(JsonNode snapshot, String pointer) {
        List<String> values = new ArrayList<>();
        snapshot.get("shards").forEach(shard -> values.add(shard.at(pointer).asString()));
        return values;
    }
}
