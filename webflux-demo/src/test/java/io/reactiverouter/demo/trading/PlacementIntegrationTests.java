package io.reactiverouter.demo.trading;

import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardsExtension;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.webtestclient.autoconfigure.AutoConfigureWebTestClient;
import org.springframework.http.MediaType;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.web.reactive.server.WebTestClient;

/** What the application says about the placement of its rows, beside what the shards hold. */
@SpringBootTest(
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
        properties = {
            "demo.load.users=3000",
            "demo.load.orders=4000",
            "reactive-router.connection.application-name=placement-tests"
        })
@AutoConfigureWebTestClient(timeout = "PT20S")
@NullUnmarked
class PlacementIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3);

    private static final int USERS = 3_000;
    private static final List<String> TABLES = List.of("users", "orders", "trades", "positions");

    private final WebTestClient web;

    @Autowired
    PlacementIntegrationTests(WebTestClient web) {
        this.web = web;
    }

    @DynamicPropertySource
    static void shards(DynamicPropertyRegistry registry) {
        for (ShardNode node : SHARDS.nodes()) {
            registry.add("reactive-router.shards." + node.name() + ".url", node::r2dbcUrl);
        }
    }

    /** The answer as clients see it. */
    record Spread(
            long keys,
            long distinct,
            long unroutable,
            List<Share> shards,
            double maxOverMean,
            List<Hot> hottest,
            List<String> warnings) {

        List<Long> counts() {
            return shards.stream().map(Share::count).toList();
        }
    }

    record Share(String shard, long count, double share) {}

    record Hot(long key, String shard, long count) {}

    @Test
    void withoutParametersItIsThePlacementThatThereIs() {
        Spread spread = spread("");

        assertThat(spread.keys()).isEqualTo(USERS);
        assertThat(spread.distinct()).isEqualTo(USERS);
        assertThat(spread.unroutable()).isZero();
        assertThat(spread.warnings()).isEmpty();
        assertThat(spread.shards()).extracting(Share::shard).containsExactly("s0", "s1", "s2");
        assertThat(spread.counts()).isEqualTo(numbers("select count(*) from users"));
    }

    @Test
    void moduloIsWhatTheServersCount() {
        List<Long> expected = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            expected.add(sum("select count(*) from users where user_id % 4 = " + i));
        }

        assertThat(spread("?strategy=modulo&shards=4").counts()).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"hash-slots,7", "hash-slots,64", "modulo,1", "md5,5", "consistent-hash,3", "consistent-hash,64", ",5"})
    void everyStrategyPlacesEveryUserOverAsManyShardsAsAskedFor(String strategy, int shards) {
        Spread spread = spread("?shards=" + shards + (strategy == null ? "" : "&strategy=" + strategy));

        assertThat(spread.shards()).hasSize(shards).extracting(Share::shard).contains("s0", "s" + (shards - 1));
        assertThat(spread.counts().stream().mapToLong(Long::longValue).sum()).isEqualTo(USERS);
        assertThat(spread.maxOverMean()).isLessThan(2);
    }

    /** Also a small sample has users of all shards, not of the one that answers first. */
    @ParameterizedTest
    @ValueSource(strings = {"", "&strategy=modulo", "&strategy=md5", "&strategy=consistent-hash"})
    void aSampleStandsForAllUsers(String strategy) {
        Spread spread = spread("?sample=600" + strategy);

        assertThat(spread.keys()).isEqualTo(600);
        assertThat(spread.counts())
                .hasSize(3)
                .allSatisfy(count -> assertThat(count).isBetween(140L, 270L));
        assertThat(spread("?sample=600" + strategy)).isEqualTo(spread);
    }

    @Test
    void oneUserIsASampleToo() {
        assertThat(spread("?sample=1&shards=2").warnings()).contains("1 of 2 shards get nothing");
    }

    @Test
    void everyTableIsAuditedOnEveryShard() {
        var audit = web.get().uri("/api/audit").exchange().expectStatus().isOk().expectBody();
        for (int shard = 0; shard < 3; shard++) {
            for (int table = 0; table < 4; table++) {
                String at = "$[" + (shard * 4 + table) + "].";
                String name = TABLES.get(table);
                audit.jsonPath(at + "shard")
                        .isEqualTo("s" + shard)
                        .jsonPath(at + "table")
                        .isEqualTo(name)
                        .jsonPath(at + "rows")
                        .isEqualTo(SHARDS.nodes().get(shard).number("select count(*) from " + name))
                        .jsonPath(at + "misplaced")
                        .isEqualTo(0);
            }
        }
        audit.jsonPath("$.length()").isEqualTo(12);
    }

    @Test
    void aRowThatIsElsewhereIsFound() {
        // The first shard that does not hold user 1 gets that user, too.
        ShardNode wrong = SHARDS.nodes().stream()
                .filter(node -> node.number("select count(*) from users where user_id = 1") == 0)
                .findFirst()
                .orElseThrow();
        String home = SHARDS.nodes().stream()
                .filter(node -> node.number("select count(*) from users where user_id = 1") == 1)
                .findFirst()
                .orElseThrow()
                .name();
        wrong.execute("insert into users values (1)");
        try {
            String at = "$[?(@.table == 'users' && @.shard == '" + wrong.name() + "')].";
            web.get()
                    .uri("/api/audit")
                    .exchange()
                    .expectBody()
                    .jsonPath(at + "misplaced")
                    .isEqualTo(1)
                    .jsonPath(at + "examples[0].key")
                    .isEqualTo(1)
                    .jsonPath(at + "examples[0].belongsTo")
                    .isEqualTo(home);
        } finally {
            wrong.execute("delete from users where user_id = 1");
        }
    }

    /** An audit that has to wait, for a lock here, is the only one: the next client is told so, others are served. */
    @Test
    void auditsDoNotPileUp() throws Exception {
        try (Connection connection = SHARDS.nodes().get(0).openJdbc();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("lock table positions in access exclusive mode");
            CompletableFuture<Void> first = CompletableFuture.runAsync(() ->
                    web.get().uri("/api/audit").exchange().expectStatus().isOk().expectBody());
            long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
            while (sum("select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
                            + " and application_name = 'placement-tests'")
                    == 0) {
                assertThat(System.nanoTime()).as("waits for the lock").isLessThan(deadline);
                LockSupport.parkNanos(5_000_000);
            }

            web.get()
                    .uri("/api/audit")
                    .exchange()
                    .expectStatus()
                    .isEqualTo(503)
                    .expectBody()
                    .jsonPath("$.detail")
                    .isEqualTo("an audit is running; try again later");
            assertThat(spread("").keys()).isEqualTo(USERS);

            connection.rollback();
            first.get(20, TimeUnit.SECONDS);
        }
        web.get().uri("/api/audit").exchange().expectStatus().isOk().expectBody();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    strategy=ranges   | strategy must be one of [hash-slots, modulo, md5, consistent-hash]
                    shards=0          | shards must be greater than 0
                    shards=65         | shards must be less than or equal to 64
                    shards=three      | shards must be a number
                    sample=0          | sample must be greater than 0
                    sample=100001     | sample must be less than or equal to 100000
                    sample=99999999999 | sample must be a number
                    shards=0&sample=0 | sample must be greater than 0; shards must be greater than 0
                    """)
    void badParameterIsExplained(String query, String message) {
        web.get()
                .uri("/api/distribution?" + query)
                .exchange()
                .expectStatus()
                .isBadRequest()
                .expectHeader()
                .contentTypeCompatibleWith(MediaType.APPLICATION_PROBLEM_JSON)
                .expectBody()
                .jsonPath("$.detail")
                .isEqualTo(message);
    }

    @Test
    void bothAreDescribed() {
        String parameters = "$.paths['/api/distribution'].get.parameters";
        web.get()
                .uri("/v3/api-docs")
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody()
                .jsonPath(parameters + "[?(@.name == 'strategy')].schema.enum[*]")
                .isEqualTo(List.of("hash-slots", "modulo", "md5", "consistent-hash"))
                .jsonPath(parameters + "[?(@.name == 'shards')].schema.maximum")
                .isEqualTo(64)
                .jsonPath(parameters + "[?(@.name == 'sample')].schema.default")
                .isEqualTo(10_000)
                .jsonPath("$.paths['/api/audit'].get.responses['200']")
                .exists()
                .jsonPath("$.components.schemas.TableAudit.properties.shard.type")
                .isEqualTo("string")
                .jsonPath("$.components.schemas.HotKey.properties.key.type")
                .isEqualTo("integer");
    }

    private Spread spread(String query) {
        return web.get()
                .uri("/api/distribution" + query)
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody(Spread.class)
                .returnResult()
                .getResponseBody();
    }

    private static List<Long> numbers(String sql) {
        return SHARDS.nodes().stream().map(node -> node.number(sql)).toList();
    }

    private static long sum(String sql) {
        return numbers(sql).stream().mapToLong(Long::longValue).sum();
    }
}
