package io.reactiverouter.spring.autoconfigure;

import static io.reactiverouter.spring.autoconfigure.TestApplications.runner;
import static io.reactiverouter.spring.autoconfigure.TestApplications.shards;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.UnroutableKeyException;
import io.reactiverouter.topology.Shard;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;

class SingleShardTests {

    private static final String SINGLE = "reactive-router.single-shard=s1";
    private static final String STRATEGY = "reactive-router.keyspaces.trading.strategy=";

    @ParameterizedTest
    @ValueSource(strings = {"hash-slots", "modulo", "md5", "consistent-hash"})
    void everyKeyIsOnTheOneShard(String strategy) {
        runner().withPropertyValues(shards(3))
                .withPropertyValues(STRATEGY + strategy, SINGLE)
                .run(context -> {
                    assertThat(names(context)).containsExactly("s1");
                    assertThat(homes(context)).containsOnly("s1");
                });
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " "})
    void anEmptyNameIsNone(String name) {
        runner().withPropertyValues(shards(3))
                .withPropertyValues("reactive-router.single-shard=" + name)
                .run(context -> {
                    assertThat(names(context)).containsExactly("s0", "s1", "s2");
                    assertThat(homes(context)).containsExactly("s0", "s1", "s2");
                });
    }

    @Test
    void rangesAndPinsOfOtherShardsDoNotCount() {
        runner().withPropertyValues(shards(3))
                .withPropertyValues(
                        STRATEGY + "ranges",
                        SINGLE,
                        "reactive-router.keyspaces.trading.ranges[0].from=10",
                        "reactive-router.keyspaces.trading.ranges[0].to=20",
                        "reactive-router.keyspaces.trading.ranges[0].shard=s0",
                        "reactive-router.keyspaces.trading.pins.15=s2")
                .run(context -> assertThat(homes(context)).containsOnly("s1"));
    }

    @Test
    void everyRegionIsThere() {
        runner().withPropertyValues(shards(2))
                .withPropertyValues(
                        STRATEGY + "geographic",
                        SINGLE,
                        "reactive-router.keyspaces.trading.region-column=region",
                        "reactive-router.shards.s0.region=eu",
                        "reactive-router.shards.s1.region=us")
                .run(context -> {
                    ShardRouter router = context.getBean(ShardRouter.class);
                    assertThat(router.route(ShardKey.inRegion("eu", ShardKey.of(1)))
                                    .shard()
                                    .value())
                            .isEqualTo("s1");
                    assertThat(router.route(ShardKey.inRegion("us", ShardKey.of(1)))
                                    .shard()
                                    .value())
                            .isEqualTo("s1");
                });
    }

    @Test
    void keysOfAnotherTypeAreStillRefused() {
        runner().withPropertyValues(shards(3))
                .withPropertyValues(SINGLE)
                .run(context -> assertThatThrownBy(
                                () -> context.getBean(ShardRouter.class).route(ShardKey.of("text")))
                        .isInstanceOf(UnroutableKeyException.class));
    }

    @Test
    void settingsOfTheOthersDoNotDisturb() {
        runner().withPropertyValues(shards(3))
                .withPropertyValues(
                        SINGLE,
                        "reactive-router.shards.s0.pool.max-size=3",
                        "reactive-router.shards.s1.pool.max-size=7")
                .run(context -> {
                    ShardCluster cluster = context.getBean(ShardCluster.class);
                    assertThat(cluster.poolStatistics(
                                            cluster.shards().get(0).primary().id())
                                    .max())
                            .isEqualTo(7);
                });
    }

    @Test
    void itChoosesAmongTheShardsOfABeanToo() {
        runner().withPropertyValues("reactive-router.single-shard=b")
                .withBean(
                        ShardsConnectionDetails.class,
                        () -> () -> List.of(
                                Shard.named("a").primary("r2dbc:postgresql://app@db0.invalid/app"),
                                Shard.named("b").primary("r2dbc:postgresql://app@db1.invalid/app")))
                .run(context -> assertThat(names(context)).containsExactly("b"));
    }

    @Test
    void aShardThatIsNotThereIsRefused() {
        runner().withPropertyValues(shards(2))
                .withPropertyValues("reactive-router.single-shard=s7")
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .isInstanceOf(InvalidRouterConfigurationException.class)
                        .hasMessage("reactive-router.single-shard: there is no shard \"s7\"; known are [s0, s1]"));
    }

    private static List<String> names(AssertableApplicationContext context) {
        return context.getBean(ShardCluster.class).shards().stream()
                .map(shard -> shard.id().value())
                .toList();
    }

    private static List<String> homes(AssertableApplicationContext context) {
        ShardRouter router = context.getBean(ShardRouter.class);
        return LongStream.range(0, 30)
                .mapToObj(key -> router.route(ShardKey.of(key)).shard().value())
                .distinct()
                .sorted()
                .toList();
    }
}
