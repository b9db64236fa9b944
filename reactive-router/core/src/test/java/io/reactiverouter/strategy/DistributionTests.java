package io.reactiverouter.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.LongStream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

@NullUnmarked
class DistributionTests {

    private static final HashSlots SLOTS = HashSlots.over(HashSlotsTests.shards(1, 1, 1));

    private static List<ShardKey> ids(int count) {
        return LongStream.rangeClosed(1, count).mapToObj(ShardKey::of).toList();
    }

    @Test
    void evenSampleHasNoWarnings() {
        Distribution found = Distribution.of(SLOTS, ids(10_000));

        assertThat(found.keys()).isEqualTo(10_000);
        assertThat(found.distinct()).isEqualTo(10_000);
        assertThat(found.shards()).hasSize(3).allSatisfy(share -> {
            assertThat(share.share()).isCloseTo(1.0 / 3, within(0.02));
            assertThat(share.count()).isEqualTo(Math.round(share.share() * 10_000));
        });
        assertThat(found.maxOverMean()).isBetween(1.0, 1.05);
        assertThat(found.standardDeviation()).isBetween(0.0, 0.05);
        assertThat(found.hottest()).as("no key comes twice").isEmpty();
        assertThat(found.warnings()).isEmpty();
    }

    @Test
    void figuresAreRight() {
        Modulo modulo = Modulo.over(HashSlotsTests.shards(1, 1));
        Distribution found =
                Distribution.of(modulo, Arrays.asList(ShardKey.of(0), ShardKey.of(0), ShardKey.of(2), ShardKey.of(1)));

        assertThat(found.shards()).extracting(Distribution.Share::count).containsExactly(3L, 1L);
        assertThat(found.maxOverMean()).isEqualTo(1.5);
        assertThat(found.standardDeviation()).isEqualTo(0.5);
        assertThat(found.hottest().get(0).key()).isEqualTo(ShardKey.of(0));
        assertThat(found.hottest().get(0).share()).isEqualTo(0.5);
    }

    @Test
    void nullSkewedFewAndUnroutableKeysAreWarnedOf() {
        List<ShardKey> sample = new ArrayList<>(ids(1_000));
        sample.addAll(Collections.nCopies(1_000, ShardKey.of(7)));
        sample.addAll(Collections.nCopies(10, null));
        sample.addAll(Collections.nCopies(5, ShardKey.inRegion("eu", ShardKey.of(1))));
        Distribution skewed = Distribution.of(SLOTS, sample);

        assertThat(skewed.nulls()).isEqualTo(10);
        assertThat(skewed.unroutable()).isEqualTo(5);
        assertThat(skewed.warnings())
                .anySatisfy(text -> assertThat(text).contains("10 of 2015 keys are null"))
                .anySatisfy(text -> assertThat(text).contains("5 of 2015 keys have no shard"))
                .anySatisfy(text -> assertThat(text).contains("50.1 % of the keys with a shard are the one key 7"))
                .anySatisfy(text -> assertThat(text).contains("times the mean"));

        List<ShardKey> states = new ArrayList<>();
        for (int i = 0; i < 3_000; i++) {
            states.add(ShardKey.of(i % 2 == 0 ? "active" : "closed"));
        }
        assertThat(Distribution.of(SLOTS, states).warnings())
                .anySatisfy(text -> assertThat(text).contains("only 2 different keys"))
                .anySatisfy(text -> assertThat(text).contains("of 3 shards get nothing"));
    }

    @Test
    void emptySampleIsAnAnswer() {
        Distribution found = Distribution.of(SLOTS, List.of());

        assertThat(found.keys()).isZero();
        assertThat(found.shards()).allSatisfy(share -> assertThat(share.count()).isZero());
        assertThat(found.maxOverMean()).isZero();
    }
}
