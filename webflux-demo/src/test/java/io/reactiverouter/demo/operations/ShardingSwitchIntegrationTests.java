package io.reactiverouter.demo.operations;

import static org.assertj.core.api.Assertions.assertThat;

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

/** The same application on all shards, on one of them as a single database, and on all again. */
@NullUnmarked
class ShardingSwitchIntegrationTests {

    private static final Duration LIMIT = Duration.ofSeconds(20);

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3);

    @Test
    void oneVariableTurnsShardingOffAndOnAndNoRowMoves() {
        long user;
        long before;
        try (ConfigurableApplicationContext sharded = start("")) {
            ShardRouter router = sharded.getBean(ShardRouter.class);
            user = LongStream.range(1, 100)
                    .filter(key ->
                            router.route(ShardKey.of(key)).shard().value().equals("s1"))
                    .findFirst()
                    .orElseThrow();
            order(sharded, user);
            before = orders(sharded, user);
            assertThat(before).isPositive();
        }
        try (ConfigurableApplicationContext single = start("s0")) {
            assertThat(orders(single, user)).as("orders that stay on s1").isZero();
            order(single, user);
            assertThat(orders(single, user)).isOne();
            assertThat(misplaced(single)).isZero();
        }
        assertThat(SHARDS.nodes().get(0).number("select count(*) from orders where user_id = " + user))
                .isOne();
        try (ConfigurableApplicationContext sharded = start("")) {
            assertThat(orders(sharded, user)).as("orders on s1 again").isEqualTo(before);
            assertThat(misplaced(sharded)).as("what the time on s0 left there").isPositive();
        }
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
                .isCreated();
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
