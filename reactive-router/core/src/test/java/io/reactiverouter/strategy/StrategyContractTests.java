package io.reactiverouter.strategy;

import io.reactiverouter.test.ShardingStrategyContract;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Nested;

/** The published contract, for every strategy of the library. */
@NullUnmarked
class StrategyContractTests {

    private static final ShardKey TIME = ShardKey.of(Instant.EPOCH);
    private static final ShardKey REGIONAL = ShardKey.inRegion("eu", ShardKey.of(1));

    private static List<Shard> shards(int count) {
        int[] weights = new int[count];
        Arrays.fill(weights, 1);
        return HashSlotsTests.shards(weights);
    }

    private static Shard fourth() {
        return shards(4).get(3);
    }

    private static ShardingStrategyContract.Layout<ShardKey, ShardId> layout(ShardingStrategy strategy) {
        return new ShardingStrategyContract.Layout<>(strategy::locate, strategy.shards());
    }

    private static ShardingStrategyContract.Change<ShardKey, ShardId> onlyToTheFourth(ShardingStrategy after) {
        return new ShardingStrategyContract.Change<>(layout(after), List.of(fourth().id()));
    }

    private static List<ShardKey> refusals(ShardKey... keys) {
        List<ShardKey> all = new ArrayList<>(List.of(keys));
        all.add(null);
        return all;
    }

    @Nested
    class OfHashSlots implements ShardingStrategyContract<ShardKey, ShardId> {

        @Override
        public Layout<ShardKey, ShardId> layout() {
            return StrategyContractTests.layout(HashSlots.over(shards(3)));
        }

        @Override
        public List<ShardKey> keys() {
            return Keys.hashable();
        }

        @Override
        public List<ShardKey> keysWithoutShard() {
            return refusals(TIME, REGIONAL);
        }

        @Override
        public Change<ShardKey, ShardId> withOneMoreShard() {
            return onlyToTheFourth(HashSlots.over(shards(3)).withShard(fourth()));
        }
    }

    @Nested
    class OfModulo implements ShardingStrategyContract<ShardKey, ShardId> {

        @Override
        public Layout<ShardKey, ShardId> layout() {
            return StrategyContractTests.layout(Modulo.over(shards(3)));
        }

        @Override
        public List<ShardKey> keys() {
            return Keys.integers();
        }

        @Override
        public List<ShardKey> keysWithoutShard() {
            return refusals(TIME, REGIONAL, ShardKey.of("7"));
        }
    }

    @Nested
    class OfMd5 implements ShardingStrategyContract<ShardKey, ShardId> {

        @Override
        public Layout<ShardKey, ShardId> layout() {
            return StrategyContractTests.layout(Md5.over(shards(3)));
        }

        @Override
        public List<ShardKey> keys() {
            return Keys.hashable();
        }

        @Override
        public List<ShardKey> keysWithoutShard() {
            return refusals(TIME, REGIONAL);
        }
    }

    @Nested
    class OfConsistentHash implements ShardingStrategyContract<ShardKey, ShardId> {

        @Override
        public Layout<ShardKey, ShardId> layout() {
            return StrategyContractTests.layout(ConsistentHash.over(shards(3), 150));
        }

        @Override
        public List<ShardKey> keys() {
            return Keys.hashable();
        }

        @Override
        public List<ShardKey> keysWithoutShard() {
            return refusals(TIME, REGIONAL);
        }

        @Override
        public Change<ShardKey, ShardId> withOneMoreShard() {
            return onlyToTheFourth(ConsistentHash.over(shards(3), 150).withShard(fourth()));
        }
    }

    @Nested
    class OfRanges implements ShardingStrategyContract<ShardKey, ShardId> {

        private final Ranges ranges = Ranges.startingAt(ShardKey.of(Instant.parse("2019-12-31T00:00:00Z")))
                .upTo(ShardKey.of(Instant.parse("2022-01-01T00:00:00Z")), ShardId.of("s0"))
                .upTo(ShardKey.of(Instant.parse("2024-01-01T00:00:00Z")), ShardId.of("s1"))
                .andAbove(ShardId.of("s2"));

        @Override
        public Layout<ShardKey, ShardId> layout() {
            return StrategyContractTests.layout(Ranges.of(ranges.ranges()));
        }

        @Override
        public List<ShardKey> keys() {
            return Keys.timestamps();
        }

        @Override
        public List<ShardKey> keysWithoutShard() {
            return refusals(TIME, REGIONAL, ShardKey.of(7), ShardKey.of("7"));
        }

        @Override
        public Change<ShardKey, ShardId> withOneMoreShard() {
            return onlyToTheFourth(ranges.split(ShardKey.of(Instant.parse("2025-01-01T00:00:00Z")), fourth().id()));
        }
    }

    @Nested
    class OfGeographic implements ShardingStrategyContract<ShardKey, ShardId> {

        @Override
        public Layout<ShardKey, ShardId> layout() {
            List<Shard> all = shards(4);
            return StrategyContractTests.layout(Geographic.over(List.of(
                    all.get(0).region("eu"),
                    all.get(1).region("eu"),
                    all.get(2).region("us"),
                    all.get(3).region("us"))));
        }

        @Override
        public List<ShardKey> keys() {
            List<ShardKey> keys = new ArrayList<>();
            Keys.hashable().forEach(id -> {
                keys.add(ShardKey.inRegion("eu", id));
                keys.add(ShardKey.inRegion("us", id));
            });
            return keys;
        }

        @Override
        public List<ShardKey> keysWithoutShard() {
            return refusals(
                    ShardKey.of(7), ShardKey.inRegion("asia", ShardKey.of(7)), ShardKey.inRegion("EU", ShardKey.of(7)));
        }
    }

    @Nested
    class OfDirectory implements ShardingStrategyContract<ShardKey, ShardId> {

        private final Directory directory =
                Directory.over(HashSlots.over(shards(3))).withPins(Map.of(ShardKey.of(42), ShardId.of("big")));

        @Override
        public Layout<ShardKey, ShardId> layout() {
            return StrategyContractTests.layout(
                    Directory.over(HashSlots.over(shards(3))).withPins(directory.pins()));
        }

        @Override
        public List<ShardKey> keys() {
            return Keys.hashable();
        }

        @Override
        public List<ShardKey> keysWithoutShard() {
            return refusals(TIME, REGIONAL);
        }

        @Override
        public Change<ShardKey, ShardId> withOneMoreShard() {
            return onlyToTheFourth(directory.pin(ShardKey.of("user-42"), fourth().id()));
        }
    }
}
