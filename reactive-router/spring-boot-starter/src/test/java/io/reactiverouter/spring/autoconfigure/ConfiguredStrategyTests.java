package io.reactiverouter.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.reactiverouter.ShardRouter;
import io.reactiverouter.routing.Placement;
import io.reactiverouter.strategy.ConsistentHash;
import io.reactiverouter.strategy.Directory;
import io.reactiverouter.strategy.Geographic;
import io.reactiverouter.strategy.HashSlots;
import io.reactiverouter.strategy.Md5;
import io.reactiverouter.strategy.Modulo;
import io.reactiverouter.strategy.Ranges;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.strategy.UnroutableKeyException;
import io.reactiverouter.topology.ShardId;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.SystemEnvironmentPropertySource;

/** Each strategy as the properties of a keyspace say it. */
@NullUnmarked
class ConfiguredStrategyTests {

    private static final ShardId S0 = ShardId.of("s0");
    private static final ShardId S1 = ShardId.of("s1");
    private static final ShardId S2 = ShardId.of("s2");

    private static final String REGIONS = """
            reactive-router.shards:
              s0.region: eu
              s1.region: us
              s2.region: us
            """;

    @ParameterizedTest
    @CsvSource({"hash-slots,HashSlots", "modulo,Modulo", "md5,Md5", "consistent-hash,ConsistentHash"})
    void aStrategyOverAllShardsNeedsItsNameOnly(String name, String type) {
        ShardingStrategy strategy = strategy("strategy: " + name);

        assertThat(strategy.getClass().getSimpleName()).isEqualTo(type);
        assertThat(strategy.shards()).containsExactly(S0, S1, S2);
    }

    @Test
    void theRingHasTheVirtualNodesAndWeightsThatAreSet() {
        assertThat(((ConsistentHash) strategy("strategy: consistent-hash")).virtualNodes())
                .isEqualTo(150);

        ConsistentHash ring = (ConsistentHash)
                strategy("{strategy: consistent-hash, virtual-nodes: 7}", "reactive-router.shards.s1.weight: 2");
        assertThat(ring.virtualNodes()).isEqualTo(7);
        assertThat(ring.weights()).isEqualTo(Map.of(S0, 1, S1, 2, S2, 1));
    }

    @Test
    void regionsAreThoseOfTheShards() {
        placement("{strategy: geographic, region-column: country}", REGIONS, placement -> {
            Geographic strategy = (Geographic) placement.strategy();
            assertThat(strategy.regions()).containsOnlyKeys("eu", "us");
            assertThat(strategy.locate(ShardKey.inRegion("eu", ShardKey.of(7)))).isEqualTo(S0);
            assertThat(strategy.defaultRegion()).isNull();
            assertThatThrownBy(() -> strategy.locate(ShardKey.inRegion("br", ShardKey.of(7))))
                    .isInstanceOf(UnroutableKeyException.class);
            assertThat(placement.keyspace().regionColumn()).isEqualTo("country");
        });
    }

    @Test
    void keysOfOtherRegionsGoToTheDefaultRegion() {
        ShardingStrategy strategy =
                strategy("{strategy: geographic, region-column: country, default-region: eu}", REGIONS);

        assertThat(strategy.locate(ShardKey.inRegion("br", ShardKey.of(7)))).isEqualTo(S0);
    }

    @Test
    void rangesFollowEachOtherAndTheLastIsOpen() {
        assertThat(strategy("""
                        strategy: ranges
                        ranges:
                          - {to: 1_000, shard: s2}
                          - {to: 2000, shard: s0}
                          - {shard: s1}
                        """))
                .isEqualTo(Ranges.fromTheLowest()
                        .upTo(ShardKey.of(1_000), S2)
                        .upTo(ShardKey.of(2_000), S0)
                        .andAbove(S1));
    }

    @Test
    void rangesMayBeClosedAndRepeatWhereTheyBegin() {
        assertThat(strategy("""
                        strategy: ranges
                        ranges:
                          - {from: -5, to: 1000, shard: s0}
                          - {from: 1000, to: 2000, shard: s1}
                        """))
                .isEqualTo(Ranges.startingAt(ShardKey.of(-5))
                        .upTo(ShardKey.of(1_000), S0)
                        .upTo(ShardKey.of(2_000), S1)
                        .closed());
    }

    @Test
    void endsOfRangesAreOfTheKeyType() {
        assertThat(strategy("""
                        strategy: ranges
                        key-type: timestamp
                        ranges:
                          - {to: 2026-01-01T00:00:00+01:00, shard: s0}
                          - {to: 2027-01-01T00:00:00Z, shard: s1}
                        """))
                .isEqualTo(Ranges.fromTheLowest()
                        .upTo(ShardKey.of(Instant.parse("2025-12-31T23:00:00Z")), S0)
                        .upTo(ShardKey.of(Instant.parse("2027-01-01T00:00:00Z")), S1)
                        .closed());
        assertThat(strategy("{strategy: ranges, key-type: text, ranges: [{to: Müller, shard: s0}, {shard: s1}]}"))
                .isEqualTo(
                        Ranges.fromTheLowest().upTo(ShardKey.of("Müller"), S0).andAbove(S1));
        assertThat(strategy("{strategy: ranges, key-type: uuid, ranges:"
                        + " [{to: 80000000-0000-0000-0000-00000000000A, shard: s0}, {shard: s1}]}"))
                .isEqualTo(Ranges.fromTheLowest()
                        .upTo(ShardKey.of(UUID.fromString("80000000-0000-0000-0000-00000000000a")), S0)
                        .andAbove(S1));
    }

    @Test
    void pinsComeBeforeTheStrategy() {
        Directory directory = (Directory) strategy("{strategy: modulo, pins: {3: s1, -4: s2}}");

        assertThat(directory.pins()).isEqualTo(Map.of(ShardKey.of(3), S1, ShardKey.of(-4), S2));
        assertThat(directory.rest()).isInstanceOf(Modulo.class);
        assertThat(directory.locate(ShardKey.of(3))).isEqualTo(S1);
        assertThat(directory.locate(ShardKey.of(6))).isEqualTo(S0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"hash-slots", "md5", "consistent-hash"})
    void everyStrategyTakesPins(String name) {
        ShardingStrategy rest = strategy("strategy: " + name);
        ShardingStrategy strategy = strategy("{strategy: " + name + ", key-type: text, pins: {Acme_Corp: s2}}");

        assertThat(strategy.locate(ShardKey.of("Acme_Corp"))).isEqualTo(S2);
        for (int i = 0; i < 100; i++) {
            assertThat(strategy.locate(ShardKey.of("k" + i))).isEqualTo(rest.locate(ShardKey.of("k" + i)));
        }
    }

    @Test
    void aPinMayBeOnAShardWithoutRange() {
        ShardingStrategy strategy = strategy("{strategy: ranges, ranges: [{shard: s0}], pins: {7: s2}}");

        assertThat(strategy.locate(ShardKey.of(7))).isEqualTo(S2);
        assertThat(strategy.shards()).containsExactly(S0, S2);
    }

    @Test
    void aPinOfARegionNamesIt() {
        ShardingStrategy strategy =
                strategy("{strategy: geographic, region-column: country, pins: {\"[us/7]\": s0}}", REGIONS);

        assertThat(strategy.locate(ShardKey.inRegion("us", ShardKey.of(7)))).isEqualTo(S0);
        assertThat(strategy.locate(ShardKey.inRegion("us", ShardKey.of(8)))).isIn(S1, S2);
    }

    @Test
    void pinsHaveAnyKeyInBrackets() {
        Directory directory =
                (Directory) strategy("{key-type: text, pins: {\"[a@b.c]\": s0, a.b: s1, \"[-5]\": s2, \"[x y]\": s0}}");

        assertThat(directory.pins())
                .isEqualTo(Map.of(
                        ShardKey.of("a@b.c"),
                        S0,
                        ShardKey.of("a.b"),
                        S1,
                        ShardKey.of("-5"),
                        S2,
                        ShardKey.of("x y"),
                        S0));
    }

    @Test
    void pinsCanComeFromTheEnvironmentOfTheProcessAndFromProperties() {
        run(
                "strategy: modulo",
                "",
                placement -> assertThat(((Directory) placement.strategy()).pins())
                        .isEqualTo(Map.of(ShardKey.of(42), S2, ShardKey.of(-5), S1)),
                new SystemEnvironmentPropertySource(
                        "systemEnvironment", Map.of("REACTIVEROUTER_KEYSPACES_TRADING_PINS_42", "s2")),
                new MapPropertySource("properties", Map.of("reactive-router.keyspaces.trading.pins[-5]", "s1")));
    }

    @Test
    void withoutPinsThereIsNoDirectory() {
        assertThat(strategy("key: user_id")).isInstanceOf(HashSlots.class);
        assertThat(strategy("{strategy: md5, key-type: uuid}")).isInstanceOf(Md5.class);
    }

    private static ShardingStrategy strategy(String keyspace) {
        return strategy(keyspace, "");
    }

    private static ShardingStrategy strategy(String keyspace, String more) {
        ShardingStrategy[] found = new ShardingStrategy[1];
        placement(keyspace, more, placement -> found[0] = placement.strategy());
        return found[0];
    }

    private static void placement(String keyspace, String more, Consumer<Placement> test) {
        run(keyspace, more, test);
    }

    /** Starts with three shards and the keyspace trading as this YAML describes it. */
    private static void run(String keyspace, String more, Consumer<Placement> test, PropertySource<?>... sources) {
        TestApplications.runner()
                .withInitializer(context -> {
                    var all = context.getEnvironment().getPropertySources();
                    all.addLast(TestApplications.yaml(
                            "keyspace", "reactive-router.keyspaces.trading:\n" + keyspace.indent(2)));
                    for (PropertySource<?> source : sources) {
                        if (all.contains(source.getName())) {
                            all.replace(source.getName(), source);
                        } else {
                            all.addLast(source);
                        }
                    }
                    all.addLast(TestApplications.yaml("more", more.isEmpty() ? "x: y" : more));
                    all.addLast(TestApplications.yaml("shards", """
                            reactive-router:
                              shards:
                                s0.url: r2dbc:postgresql://app@db0.invalid:5432/app
                                s1.url: r2dbc:postgresql://app@db1.invalid:5432/app
                                s2.url: r2dbc:postgresql://app@db2.invalid:5432/app
                              keyspaces.trading.key: user_id
                            """));
                })
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    test.accept(context.getBean(ShardRouter.class).placement());
                });
    }
}
