package io.reactiverouter.strategy;

import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.topology.Shard;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The figures of the guide: they are a function of the keys alone, so they are the same everywhere. */
class PlacementFiguresTests {

    private static List<Shard> shards(int count) {
        int[] weights = new int[count];
        Arrays.fill(weights, 1);
        return HashSlotsTests.shards(weights);
    }

    private static Map<String, StrategyFactory> strategies() {
        Map<String, StrategyFactory> strategies = new LinkedHashMap<>();
        strategies.put("hash slots", ShardingStrategy.hashSlots());
        strategies.put("md5", ShardingStrategy.md5());
        strategies.put("modulo", ShardingStrategy.modulo());
        strategies.put("ring, 150", ShardingStrategy.consistentHash(150));
        strategies.put("ring, 500", ShardingStrategy.consistentHash(500));
        strategies.put("ring, 1000", ShardingStrategy.consistentHash(1_000));
        return strategies;
    }

    private static List<ShardKey> ids(int count) {
        return LongStream.rangeClosed(1, count).mapToObj(ShardKey::of).toList();
    }

    @Test
    void tenThousandUsersOverThreeAndSixShards() {
        for (int count : new int[] {3, 6}) {
            strategies().forEach((name, factory) -> {
                Distribution found = Distribution.of(factory.create(shards(count)), ids(10_000));
                print("10 000 ids over %d shards, %-10s: %s", count, name, found);
                if (!name.startsWith("ring")) {
                    assertThat(worst(found)).as(name).isLessThan(0.05);
                }
            });
        }
    }

    @Test
    void aMillionKeysOverSixteenShards() {
        SplittableRandom random = new SplittableRandom(20_261_121);
        List<ShardKey> keys = Stream.generate(() -> ShardKey.of(random.nextLong()))
                .limit(1_000_000)
                .toList();
        strategies().forEach((name, factory) -> {
            Distribution found = Distribution.of(factory.create(shards(16)), keys);
            print("1 000 000 random keys over %d shards, %-10s: %s", 16, name, found);
            if (name.equals("hash slots")) {
                assertThat(worst(found)).isLessThan(0.015);
            }
            if (name.equals("ring, 150")) {
                assertThat(found.standardDeviation()).isBetween(0.04, 0.12);
            }
        });
    }

    @Test
    void keysThatMoveFromThreeToFourShards() {
        List<ShardKey> keys = ids(100_000);
        strategies().forEach((name, factory) -> {
            ShardingStrategy before = factory.create(shards(3));
            ShardingStrategy after = before instanceof HashSlots slots
                    ? slots.withShard(shards(4).get(3))
                    : factory.create(shards(4));
            long moved = keys.stream()
                    .filter(key -> !before.locate(key).equals(after.locate(key)))
                    .count();
            System.out.printf(Locale.ROOT, "3 to 4 shards, %-10s: %.1f %% of keys move%n", name, moved / 1_000.0);
            double share = moved / 100_000.0;
            if (name.equals("modulo") || name.equals("md5")) {
                assertThat(share).as(name).isBetween(0.74, 0.76);
            } else {
                assertThat(share).as(name).isBetween(0.2, 0.3);
            }
        });
        HashSlots three = HashSlots.over(shards(3));
        assertThat(three.movesTo(three.withShard(shards(4).get(3)))).isEqualTo(HashSlots.SLOTS / 4);
    }

    /** The largest distance of a shard from the mean, over the mean. */
    private static double worst(Distribution found) {
        double mean = (double) found.keys() / found.shards().size();
        return found.shards().stream()
                .mapToDouble(share -> Math.abs(share.count() - mean) / mean)
                .max()
                .orElseThrow();
    }

    private static void print(String format, int shards, String name, Distribution found) {
        String figures = String.format(
                Locale.ROOT,
                "worst %.2f %% off the mean, standard deviation %.2f %%",
                100 * worst(found),
                100 * found.standardDeviation());
        System.out.printf(Locale.ROOT, format + "%n", shards, name, figures);
    }
}
