package io.reactiverouter.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.reactiverouter.strategy.Ranges.Range;
import io.reactiverouter.topology.ShardId;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

@NullUnmarked
class RangesTests {

    private static final ShardId S0 = ShardId.of("s0");
    private static final ShardId S1 = ShardId.of("s1");
    private static final ShardId S2 = ShardId.of("s2");
    private static final Ranges CLOSED =
            Ranges.startingAt(key(0)).upTo(key(100), S0).upTo(key(200), S1).closed();

    private static ShardKey key(long value) {
        return ShardKey.of(value);
    }

    @Test
    void rangeHoldsItsLowerEndAndNotItsUpper() {
        assertThat(CLOSED.locate(key(0))).isEqualTo(S0);
        assertThat(CLOSED.locate(key(99))).isEqualTo(S0);
        assertThat(CLOSED.locate(key(100))).isEqualTo(S1);
        assertThat(CLOSED.locate(key(199))).isEqualTo(S1);
        assertThat(CLOSED.shards()).containsExactly(S0, S1);
    }

    @Test
    void keyOutsideIsAnErrorThatNamesTheEnds() {
        for (long outside : new long[] {-1, 200, Long.MIN_VALUE, Long.MAX_VALUE}) {
            assertThatExceptionOfType(UnroutableKeyException.class)
                    .isThrownBy(() -> CLOSED.locate(key(outside)))
                    .withMessageContaining(Long.toString(outside))
                    .withMessageContaining("from 0 to 200");
        }
    }

    @Test
    void openEndsHoldEverything() {
        Ranges open = Ranges.fromTheLowest().upTo(key(0), S0).andAbove(S1);

        assertThat(open.locate(key(Long.MIN_VALUE))).isEqualTo(S0);
        assertThat(open.locate(key(Long.MAX_VALUE))).isEqualTo(S1);
    }

    @Test
    void textsAreInTheOrderOfTheirBytes() {
        Ranges byName = Ranges.startingAt(ShardKey.of(""))
                .upTo(ShardKey.of("n"), S0)
                .upTo(ShardKey.of("\uffff"), S1)
                .andAbove(S2);

        assertThat(byName.locate(ShardKey.of("Zoe"))).isEqualTo(S0);
        assertThat(byName.locate(ShardKey.of("zoe"))).isEqualTo(S1);
        assertThat(byName.locate(ShardKey.of("\u00e4"))).isEqualTo(S1);
        assertThat(byName.locate(ShardKey.of("\ud83d\ude80")))
                .as("above U+FFFF")
                .isEqualTo(S2);
    }

    @Test
    void uuidsAreInTheOrderOfTheirBytes() {
        Ranges halves = Ranges.fromTheLowest()
                .upTo(ShardKey.of(UUID.fromString("80000000-0000-0000-0000-000000000000")), S0)
                .andAbove(S1);

        assertThat(halves.locate(ShardKey.of(UUID.fromString("7fffffff-ffff-ffff-ffff-ffffffffffff"))))
                .isEqualTo(S0);
        assertThat(halves.locate(ShardKey.of(UUID.fromString("ffffffff-0000-0000-0000-000000000000"))))
                .isEqualTo(S1);
    }

    @Test
    void rangeQueriesGoWhereRowsCanBe() {
        Ranges months = Ranges.startingAt(at("2026-01-01"))
                .upTo(at("2026-02-01"), S0)
                .upTo(at("2026-03-01"), S1)
                .upTo(at("2026-04-01"), S0)
                .andAbove(S2);

        assertThat(months.between(at("2026-01-10"), at("2026-01-20"))).containsExactly(S0);
        assertThat(months.between(at("2026-01-10"), at("2026-02-01"))).containsExactly(S0, S1);
        assertThat(months.between(at("2026-02-10"), at("2026-03-10"))).containsExactly(S1, S0);
        assertThat(months.between(at("2026-01-01"), at("2030-01-01"))).containsExactly(S0, S1, S2);
        assertThat(months.between(at("2025-01-01"), at("2025-02-01"))).isEmpty();
        assertThatExceptionOfType(UnroutableKeyException.class)
                .isThrownBy(() -> months.between(at("2026-02-01"), at("2026-01-01")))
                .withMessageContaining("upside down");
        assertThatExceptionOfType(UnroutableKeyException.class).isThrownBy(() -> months.between(key(1), key(2)));
    }

    private static ShardKey at(String day) {
        return ShardKey.of(Instant.parse(day + "T00:00:00Z"));
    }

    @Test
    void splitAndAppend() {
        Ranges split = CLOSED.split(key(150), S2);
        assertThat(split.ranges())
                .containsExactly(
                        new Range(key(0), key(100), S0),
                        new Range(key(100), key(150), S1),
                        new Range(key(150), key(200), S2));
        assertThat(split.append(key(300), S0).locate(key(250))).isEqualTo(S0);
        assertThat(split.append(null, S0).locate(key(Long.MAX_VALUE))).isEqualTo(S0);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> CLOSED.split(key(100), S2))
                .withMessageContaining("begins at 100 already");
        assertThatExceptionOfType(UnroutableKeyException.class).isThrownBy(() -> CLOSED.split(key(200), S2));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> CLOSED.append(null, S0).append(null, S1))
                .withMessageContaining("open above");
    }

    @Test
    void gapsAndOverlapsAreNamed() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Ranges.of(List.of(new Range(key(0), key(10), S0), new Range(key(15), null, S1))))
                .withMessageContaining("gap")
                .withMessageContaining("[0, 10) of s0")
                .withMessageContaining("keys from 10 to 15");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Ranges.of(List.of(new Range(key(0), key(20), S0), new Range(key(15), null, S1))))
                .withMessageContaining("overlap from 15 to 20");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Ranges.of(List.of(new Range(key(0), null, S0), new Range(key(15), null, S1))))
                .withMessageContaining("overlap");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Ranges.of(List.of(new Range(null, key(0), S0), new Range(null, key(15), S1))))
                .withMessageContaining("overlap");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Range(key(5), key(5), S0))
                .withMessageContaining("empty");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Range(key(5), ShardKey.of("x"), S0))
                .withMessageContaining("no order");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Ranges.of(List.of()))
                .withMessageContaining("were 0");
    }

    @Test
    void predicateIsForTheTypeOfTheKeys() {
        assertThat(CLOSED.rowsOf(S0, KeyColumn.of("id", KeyType.INTEGER)).where())
                .isEqualTo("(\"id\" >= '0'::bigint and \"id\" < '100'::bigint)");
        assertThat(CLOSED.rowsOf(S0, KeyColumn.of("id", KeyType.TEXT)).isAvailable())
                .isFalse();
    }
}
