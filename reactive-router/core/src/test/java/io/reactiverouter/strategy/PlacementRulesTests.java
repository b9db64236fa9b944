package io.reactiverouter.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What is special about the ring, regions and pins. */
class PlacementRulesTests {

    private static final ShardId S0 = ShardId.of("s0");
    private static final ShardId BIG = ShardId.of("big");

    private static List<Shard> regional() {
        List<Shard> shards = HashSlotsTests.shards(1, 1, 1);
        return List.of(
                shards.get(0).region("eu"),
                shards.get(1).region("eu"),
                shards.get(2).region("us"));
    }

    @Test
    void ringFollowsWeightsAndDoesNotDependOnTheOrderOfShards() {
        List<Shard> shards = HashSlotsTests.shards(1, 3);
        ConsistentHash ring = ConsistentHash.over(shards, 1_000);
        ConsistentHash reversed = ConsistentHash.over(List.of(shards.get(1), shards.get(0)), 1_000);
        long onHeavy = 0;
        for (ShardKey key : Keys.integers()) {
            assertThat(reversed.locate(key)).isEqualTo(ring.locate(key));
            onHeavy += ring.locate(key).equals(ShardId.of("s1")) ? 1 : 0;
        }
        assertThat((double) onHeavy / Keys.integers().size()).isBetween(0.7, 0.8);
        assertThat(ring.withShard(HashSlotsTests.shards(1, 1, 1).get(2)).withoutShard(ShardId.of("s2")))
                .isEqualTo(ring)
                .hasSameHashCodeAs(ring);
    }

    @Test
    void badRingsAreRefused() {
        List<Shard> shards = HashSlotsTests.shards(1, 1);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ConsistentHash.over(shards, 0))
                .withMessageContaining("virtual nodes must be positive, were 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ConsistentHash.over(HashSlotsTests.shards(1, 1_000_000), 150))
                .withMessageContaining("smaller weights");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ConsistentHash.of(Map.of(S0, 0), 150))
                .withMessageContaining("weight of shard s0 must be positive");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ConsistentHash.over(shards, 150).withShard(shards.get(0)))
                .withMessageContaining("already");
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> ConsistentHash.over(List.of(shards.get(0)), 150).withoutShard(S0))
                .withMessageContaining("last");
    }

    @Test
    void regionDecidesAndUnknownOnesAreNamed() {
        Geographic geographic = Geographic.over(regional());

        assertThat(geographic.locate(ShardKey.inRegion("us", ShardKey.of(7)))).isEqualTo(ShardId.of("s2"));
        assertThat(geographic.locate(ShardKey.inRegion("eu", ShardKey.of(7)))).isIn(S0, ShardId.of("s1"));
        assertThatExceptionOfType(UnroutableKeyException.class)
                .isThrownBy(() -> geographic.locate(ShardKey.inRegion("asia", ShardKey.of(7))))
                .withMessageContaining("\"asia\"")
                .withMessageContaining("[eu, us]");
        assertThatExceptionOfType(UnroutableKeyException.class)
                .isThrownBy(() -> geographic.locate(ShardKey.of(7)))
                .withMessageContaining("ShardKey.inRegion");
        assertThat(geographic.withDefaultRegion("us").locate(ShardKey.inRegion("asia", ShardKey.of(7))))
                .isEqualTo(ShardId.of("s2"));
        assertThat(geographic.between(ShardKey.inRegion("eu", ShardKey.of(1)), ShardKey.inRegion("eu", ShardKey.of(9))))
                .containsExactly(S0, ShardId.of("s1"));
        assertThatExceptionOfType(UnroutableKeyException.class)
                .isThrownBy(() -> geographic.between(
                        ShardKey.inRegion("eu", ShardKey.of(1)), ShardKey.inRegion("us", ShardKey.of(9))))
                .withMessageContaining("different regions");
    }

    @Test
    void badRegionsAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Geographic.over(HashSlotsTests.shards(1)))
                .withMessageContaining("s0 has no region");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Geographic.over(regional()).withDefaultRegion("asia"))
                .withMessageContaining("\"asia\"")
                .withMessageContaining("[eu, us]");
        HashSlots slots = HashSlots.over(HashSlotsTests.shards(1));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Geographic.of(Map.of("eu", slots, "us", slots)))
                .withMessageContaining("s0 is in the regions");
        assertThatIllegalArgumentException().isThrownBy(() -> Geographic.of(Map.of()));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Geographic.over(regional()).rowsOf(S0, KeyColumn.of("id", KeyType.INTEGER)))
                .withMessageContaining("regionColumn");
    }

    @Test
    void pinsWinAndComeAndGo() {
        Directory none = Directory.over(HashSlots.over(HashSlotsTests.shards(1, 1)));
        ShardKey tenant = ShardKey.of(42);
        Directory pinned = none.pin(tenant, BIG);

        assertThat(pinned.locate(tenant)).isEqualTo(BIG);
        assertThat(pinned.shards()).containsExactly(S0, ShardId.of("s1"), BIG);
        assertThat(none.locate(tenant)).as("the first has not changed").isNotEqualTo(BIG);
        assertThat(pinned.unpin(tenant)).isEqualTo(none);
        assertThat(Set.copyOf(pinned.between(ShardKey.of(40), ShardKey.of(50)))).contains(BIG);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> none.unpin(tenant))
                .withMessageContaining("42 is not pinned");
    }

    @Test
    void pinsAreBounded() {
        Map<ShardKey, ShardId> many = new java.util.HashMap<>();
        for (int i = 0; i <= 10_000; i++) {
            many.put(ShardKey.of(i), BIG);
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        Directory.over(HashSlots.over(HashSlotsTests.shards(1))).withPins(many))
                .withMessageContaining("at most 10000 pins");
    }

    @Test
    void pinsFollowTheRegionsOfTheRest() {
        Directory regions = Directory.over(Geographic.over(regional()));
        ShardKey pinned = ShardKey.inRegion("eu", ShardKey.of(7));
        Directory directory = regions.pin(pinned, BIG);

        assertThat(directory.locate(pinned)).isEqualTo(BIG);
        assertThat(directory.between(ShardKey.inRegion("eu", ShardKey.of(1)), ShardKey.inRegion("eu", ShardKey.of(9))))
                .containsExactly(S0, ShardId.of("s1"), BIG);
        assertThat(directory.between(ShardKey.inRegion("us", ShardKey.of(1)), ShardKey.inRegion("us", ShardKey.of(9))))
                .containsExactly(ShardId.of("s2"));
        assertThat(directory.between(pinned, pinned)).containsExactly(BIG);
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        Directory.over(HashSlots.over(HashSlotsTests.shards(1))).pin(pinned, BIG))
                .withMessageContaining("pinned with a region");
        assertThatExceptionOfType(UnroutableKeyException.class)
                .isThrownBy(() -> ShardKey.inRegion("a\0", ShardKey.of(1)))
                .withMessageContaining("U+0000");
    }

    @Test
    void orderOfPinsAndWeightsDoesNotCount() {
        HashSlots slots = HashSlots.over(HashSlotsTests.shards(1, 1, 1));
        Map<ShardId, Integer> reversed = new LinkedHashMap<>();
        for (String name : List.of("s2", "s1", "s0")) {
            reversed.put(ShardId.of(name), 1);
        }
        Shard more = HashSlotsTests.shards(1, 1, 1, 1).get(3);
        assertThat(HashSlots.of(reversed, slots.owners()).withShard(more).owners())
                .isEqualTo(slots.withShard(more).owners());
        assertThat(HashSlots.of(reversed, slots.owners()).withoutShard(S0).owners())
                .isEqualTo(slots.withoutShard(S0).owners());
        Directory none = Directory.over(slots);
        assertThat(none.pin(ShardKey.of(1), ShardId.of("b"))
                        .pin(ShardKey.of(2), ShardId.of("a"))
                        .shards())
                .isEqualTo(none.pin(ShardKey.of(2), ShardId.of("a"))
                        .pin(ShardKey.of(1), ShardId.of("b"))
                        .shards());
    }

    @Test
    void hugeRingsAreRefused() {
        int huge = Integer.MAX_VALUE;
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ConsistentHash.of(Map.of(S0, huge, BIG, huge, ShardId.of("c"), huge), huge))
                .withMessageContaining("smaller weights");
    }

    /** As while slots are being moved. */
    @Test
    void lopsidedTablesMoveNothingBetweenShardsThatStay() {
        ShardId c = ShardId.of("c");
        ShardId d = HashSlotsTests.shards(1, 1, 1, 1).get(3).id();
        List<ShardId> owners = new ArrayList<>(Collections.nCopies(16_000, S0));
        owners.addAll(Collections.nCopies(192, BIG));
        owners.addAll(Collections.nCopies(192, c));
        HashSlots lopsided = HashSlots.of(Map.of(S0, 1, BIG, 1, c, 1), owners);

        HashSlots fewer = lopsided.withoutShard(c);
        assertThat(lopsided.movesTo(fewer)).isEqualTo(192);
        assertThat(fewer.slotsOf(S0)).isEqualTo(16_000);
        assertThat(fewer.slotsOf(BIG)).isEqualTo(384);

        HashSlots more = lopsided.withShard(HashSlotsTests.shards(1, 1, 1, 1).get(3));
        assertThat(more.slotsOf(d)).isEqualTo(4_096);
        assertThat(lopsided.movesTo(more)).isEqualTo(4_096);
    }
}
