package io.reactiverouter.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@NullUnmarked
class HashSlotsTests {

    static List<Shard> shards(int... weights) {
        List<Shard> shards = new ArrayList<>();
        for (int weight : weights) {
            int i = shards.size();
            shards.add(Shard.named("s" + i)
                    .primary("r2dbc:postgresql://app@db" + i + "/app")
                    .weight(weight));
        }
        return shards;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 64, 1024, 4096})
    void equalSharesAreExactToOneSlot(int count) {
        int[] weights = new int[count];
        Arrays.fill(weights, 1);
        HashSlots slots = HashSlots.over(shards(weights));

        double share = (double) HashSlots.SLOTS / count;
        assertThat(slots.shards())
                .allSatisfy(shard ->
                        assertThat((double) slots.slotsOf(shard)).isBetween(Math.floor(share), Math.ceil(share)));
        assertThat(slots.shards().stream().mapToInt(slots::slotsOf).sum()).isEqualTo(HashSlots.SLOTS);
    }

    @Test
    void weightedSharesAreExactToOneSlot() {
        HashSlots slots = HashSlots.over(shards(1, 2, 5));

        assertThat(slots.shards().stream().map(slots::slotsOf)).containsExactly(2048, 4096, 10240);
    }

    @Test
    void everyKeyOfEveryTypeHasOneOwner() {
        HashSlots slots = HashSlots.over(shards(1, 1, 1));
        Random random = new Random(42);
        for (int i = 0; i < 100_000; i++) {
            ShardKey key = ShardKey.of(random.nextLong());
            ShardId owner = slots.locate(key);
            assertThat(slots.shards()).as("owner of %s", key).contains(owner);
            assertThat(slots.owner(HashSlots.slot(key))).isEqualTo(owner);
        }
    }

    @Test
    void oneMoreShardTakesExactlyItsShare() {
        for (int count = 1; count < 64; count++) {
            List<Shard> all = shards(ones(count + 1));
            HashSlots before = HashSlots.over(all.subList(0, count));
            HashSlots after = before.withShard(all.get(count));

            assertThat(before.movesTo(after))
                    .as("slots moved from %s to %s shards", count, count + 1)
                    .isEqualTo(after.slotsOf(all.get(count).id()))
                    .isBetween(HashSlots.SLOTS / (count + 1), HashSlots.SLOTS / (count + 1) + 1);
            assertExact(after);
            assertThat(after.movesTo(after.withoutShard(all.get(count).id()))).isEqualTo(before.movesTo(after));
            assertExact(after.withoutShard(ShardId.of("s0")));
        }
        HashSlots three = HashSlots.over(shards(1, 1, 1));
        assertThat(three.movesTo(three.withShard(shards(1, 1, 1, 1).get(3)))).isEqualTo(4_096);
    }

    /** Any chain of changes of any weights. */
    @Test
    void changesMoveTheLeastAndNothingBetweenThoseThatStay() {
        Random random = new Random(7);
        for (int run = 0; run < 60; run++) {
            HashSlots slots = HashSlots.over(shards(1 + random.nextInt(5), 1 + random.nextInt(5)));
            for (int step = 2; step < 12; step++) {
                HashSlots changed = change(slots, random, step);
                assertLeastMoves(slots, changed);
                slots = changed;
            }
        }
    }

    private static HashSlots change(HashSlots slots, Random random, int step) {
        ShardId any = slots.shards().get(random.nextInt(slots.shards().size()));
        return switch (random.nextInt(slots.shards().size() > 1 ? 3 : 2)) {
            case 0 -> {
                int[] weights = ones(step + 1);
                weights[step] = 1 + random.nextInt(9);
                yield slots.withShard(shards(weights).get(step));
            }
            case 1 -> slots.withWeights(Map.of(any, 1 + random.nextInt(9)));
            default -> slots.withoutShard(any);
        };
    }

    private static void assertLeastMoves(HashSlots before, HashSlots after) {
        long total =
                after.weights().values().stream().mapToLong(Integer::longValue).sum();
        int gains = 0;
        for (ShardId shard : after.shards()) {
            double share = (double) after.weights().get(shard) * HashSlots.SLOTS / total;
            assertThat((double) after.slotsOf(shard))
                    .as("%s of %s", shard, after)
                    .isCloseTo(share, within(2.0));
            gains += Math.max(0, after.slotsOf(shard) - before.slotsOf(shard));
        }
        assertThat(before.movesTo(after)).as("moves are gains").isEqualTo(gains);
        for (int slot = 0; slot < HashSlots.SLOTS; slot++) {
            ShardId from = before.owner(slot);
            ShardId to = after.owner(slot);
            boolean bothStay = before.weights().get(from).equals(after.weights().get(from))
                    && after.weights().get(to).equals(before.weights().get(to));
            assertThat(from.equals(to) || !bothStay)
                    .as("slot %s from %s to %s", slot, from, to)
                    .isTrue();
        }
    }

    private static void assertExact(HashSlots slots) {
        double share = (double) HashSlots.SLOTS / slots.shards().size();
        assertThat(slots.shards())
                .allSatisfy(shard ->
                        assertThat((double) slots.slotsOf(shard)).isBetween(Math.floor(share), Math.ceil(share)));
    }

    private static int[] ones(int count) {
        int[] weights = new int[count];
        Arrays.fill(weights, 1);
        return weights;
    }

    @Test
    void weightsAreFollowed() {
        HashSlots slots = HashSlots.over(shards(1, 1)).withWeights(Map.of(ShardId.of("s1"), 3));

        assertThat(slots.slotsOf(ShardId.of("s0"))).isEqualTo(4_096);
        assertThat(slots.slotsOf(ShardId.of("s1"))).isEqualTo(12_288);
        assertThat(slots)
                .isEqualTo(HashSlots.of(slots.weights(), slots.owners()))
                .hasSameHashCodeAs(HashSlots.of(slots.weights(), slots.owners()));
    }

    @Test
    void badChangesAreRefused() {
        HashSlots slots = HashSlots.over(shards(1, 1));
        ShardId s0 = ShardId.of("s0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> slots.withShard(shards(1).get(0)))
                .withMessageContaining("s0")
                .withMessageContaining("already");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> slots.withoutShard(ShardId.of("s9")))
                .withMessageContaining("s9")
                .withMessageContaining("s0, s1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> slots.withoutShard(s0).withoutShard(ShardId.of("s1")))
                .withMessageContaining("last");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> slots.withWeights(Map.of(s0, 0)))
                .withMessageContaining("weight of shard s0 must be positive, was 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> slots.withWeights(Map.of(s0, 1_000_000)))
                .withMessageContaining("weight 1 of shard s1 is too small");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> slots.withWeights(Map.of(ShardId.of("s9"), 2)))
                .withMessageContaining("s9");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HashSlots.of(slots.weights(), slots.owners().subList(0, 100)))
                .withMessageContaining("16384")
                .withMessageContaining("has 100");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HashSlots.of(Map.of(s0, 1), slots.owners()))
                .withMessageContaining("slot 8192 belongs to shard s1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HashSlots.of(Map.of(s0, 1, ShardId.of("s1"), 1), Collections.nCopies(16_384, s0)))
                .withMessageContaining("shard s1 owns none");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> slots.rowsOf(ShardId.of("s9"), KeyColumn.of("id", KeyType.INTEGER)))
                .withMessageContaining("s9");
    }

    @Test
    void badLayoutsAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HashSlots.over(List.of()))
                .withMessageContaining("at least one shard");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HashSlots.over(shards(1, 1_000_000)))
                .withMessageContaining("weight 1 of shard s0 is too small");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HashSlots.over(shards(1)).owner(16_384))
                .withMessageContaining("was 16384");
    }
}
