package io.reactiverouter.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
