package io.reactiverouter.demo.operations;

import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.audit.TableAudit;
import io.reactiverouter.demo.DemoApplication;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardsExtension;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.test.web.reactive.server.WebTestClient;

/** The same application on one shard as a single database, and then on all of them. */
@NullUnmarked
class ShardingSwitchIntegrationTests {

    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final long USERS = 12;

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3);

    @Test
    void oneVariableTurnsShardingOffAndOnAndNoRowMoves() {
        try (ConfigurableApplicationContext single = start("s0")) {
            assertThat(single.getBean(ShardCluster.class).shards()).hasSize(1);
            LongStream.rangeClosed(1, USERS).forEach(user -> order(single, user));
            assertThat(orders(single, USERS)).isOne();
            assertThat(misplaced(single)).isZero();
        }
        assertThat(SHARDS.nodes().get(0).number("select count(*) from orders")).isEqualTo(USERS);

        try (ConfigurableApplicationContext sharded = start("")) {
            assertThat(sharded.getBean(ShardCluster.class).shards()).hasSize(3);
            long stayed = userOf(sharded, "s0");
            long away = userOf(sharded, "s1");
            assertThat(orders(sharded, stayed)).isOne();
            assertThat(orders(sharded, away)).as("orders that stay on s0").isZero();
            assertThat(misplaced(sharded)).as("what the time on s0 left there").isPositive();
            order(sharded, away);
            assertThat(orders(sharded, away)).isOne();
        }
    }

    private static long userOf(ConfigurableApplicationContext context, String shard) {
        ShardRouter router = context.getBean(ShardRouter.class);
        return LongStream.rangeClosed(1, USERS)
                .filter(user -> router.route(ShardKey.of(user)).shard().value().equals(shard))
                .findFirst()
                .orElseThrow();
    }

    private static ConfigurableApplicationContext start(String single) {
        List<String> arguments = new ArrayList<>(
                List.of("--reactive-router.single-shard=" + single, "--server.port=0", "--demo.load.enabled=false"));
        for (ShardNode node : SHARDS.nodes()) {
            arguments.add("--reactive-router.shards." + node.name() + ".url=" + node.r2dbcUrl());
        }
        return new SpringApplicationBuilder(DemoApplication.class).run(arguments.toArray(String[]::new));
    }

    private static WebTestClient web(ConfigurableApplicationContext context) {
        String port = context.getEnvironment().getProperty("local.server.port");
        return WebTestClient.bindToServer()
                .baseUrl("http://127.0.0.1:" + port)
                .responseTimeout(LIMIT)
                .build();
    }

    private static void order(ConfigurableApplicationContext context, long user) {
        web(context)
                .post()
                .uri("/api/orders")
                .bodyValue(Map.of(
                        "userId", user, "symbol", "ACME", "side", "BUY", "type", "MARKET", "quantity", 1, "price", 2))
                .exchange()
                .expectStatus()
                .isCreated()
                .expectBody();
    }

    private static int orders(ConfigurableApplicationContext context, long user) {
        return web(context)
                .get()
                .uri("/api/users/" + user + "/orders")
                .exchange()
                .expectStatus()
                .isOk()
                .expectBodyList(Object.class)
                .returnResult()
                .getResponseBody()
                .size();
    }

    private static long misplaced(ConfigurableApplicationContext context) {
        return context.getBean(ShardRouter.class)
                .audit()
                .map(TableAudit::misplaced)
                .reduce(0L, Long::sum)
                .block(LIMIT);
    }
}
