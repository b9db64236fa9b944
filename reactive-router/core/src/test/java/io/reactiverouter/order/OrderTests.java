package io.reactiverouter.order;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.reactiverouter.order.SortKey.Direction;
import io.reactiverouter.order.SortKey.Nulls;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The comparator without a server. */
class OrderTests {

    private static SortPlan plan(SortKey key, KeyKind kind) {
        return new SortPlan(List.of(new SortColumn(key, kind, null)));
    }

    private static void verifyAscending(KeyKind kind, String... groups) {
        SortPlan plan = plan(SortKey.asc("x"), kind);
        List<SortValues> previous = new ArrayList<>();
        for (String group : groups) {
            List<SortValues> same = Arrays.stream(group.split(" = "))
                    .map(text -> plan.decode(new @Nullable String[] {text}))
                    .toList();
            for (SortValues value : same) {
                same.forEach(other ->
                        assertThat(plan.compare(value, other)).as(group).isZero());
                previous.forEach(less -> {
                    assertThat(plan.compare(less, value)).as(group).isNegative();
                    assertThat(plan.compare(value, less)).as(group).isPositive();
                });
            }
            previous.addAll(same);
        }
    }

    @Test
    void numbersHaveTheServersOrder() {
        verifyAscending(KeyKind.INTEGER, "-9223372036854775808", "-1", "0", "9", "10", "9223372036854775807");
        verifyAscending(
                KeyKind.NUMERIC,
                "-Infinity",
                "-1.5",
                "0 = 0.00 = -0",
                "1 = 1.00",
                "9007199254740993",
                "Infinity",
                "NaN");
        verifyAscending(KeyKind.FLOATING, "-Infinity", "-1.5", "0 = -0", "4.9E-324", "Infinity", "NaN");
    }

    @Test
    void textsAreInOrderOfCodePoints() {
        verifyAscending(KeyKind.TEXT, "A", "a", "a ", "aa", "\u00e4", "\ud7ff", "\ue000", "\uffff", "\ud800\udc00");
        verifyAscending(KeyKind.BLANK_PADDED, "a = a ", "a\t", "aa");
        verifyAscending(KeyKind.BYTES, "\\x", "\\x00", "\\x0000", "\\x7f", "\\x80", "\\xff", "\\xff00");
    }

    @Test
    void timesHaveTheServersOrder() {
        verifyAscending(KeyKind.TIME, "00:00:00", "23:59:59.999999", "24:00:00");
        verifyAscending(
                KeyKind.DATE,
                "-infinity",
                "4714-11-24 BC",
                "0001-12-31 BC",
                "0001-01-01",
                "9999-12-31",
                "10000-01-01",
                "infinity");
        verifyAscending(
                KeyKind.TIMESTAMPTZ,
                "-infinity",
                "2026-11-21 10:00:00+05:30 = 2026-11-21 04:30:00+00 = 2026-11-20 23:30:00.0-05",
                "2026-11-21 10:00:00+00",
                "infinity");
        verifyAscending(
                KeyKind.INTERVAL,
                "-infinity",
                "-1 mons = -30 days",
                "00:00:00",
                "29 days 23:59:59.999999",
                "1 mon = 30 days = 720:00:00 = 29 days 24:00:00",
                "1 year = 360 days",
                "365 days",
                "infinity");
    }

    @Test
    void uuidsAreComparedByTheirBytes() {
        verifyAscending(
                KeyKind.UUID,
                "00000000-0000-0000-0000-000000000000",
                "00000000-0000-0000-8000-000000000000",
                "7fffffff-ffff-ffff-ffff-ffffffffffff",
                "80000000-0000-0000-0000-000000000000");
    }

    @Test
    void nullsGoWhereTheKeySaysWhateverTheDirection() {
        for (Direction direction : Direction.values()) {
            for (Nulls nulls : Nulls.values()) {
                SortPlan plan =
                        plan(new SortKey("x", direction, nulls, SortKey.Collation.AS_DECLARED), KeyKind.INTEGER);
                SortValues none = plan.decode(new @Nullable String[] {null});
                SortValues one = plan.decode(new @Nullable String[] {"1"});
                SortValues two = plan.decode(new @Nullable String[] {"2"});
                assertThat(plan.compare(none, none)).isZero();
                assertThat(plan.compare(none, one) < 0).isEqualTo(nulls == Nulls.FIRST);
                assertThat(plan.compare(one, none) > 0).isEqualTo(nulls == Nulls.FIRST);
                assertThat(plan.compare(one, two) < 0).isEqualTo(direction == Direction.ASC);
            }
        }
        assertThat(SortKey.asc("x").nulls()).isEqualTo(Nulls.LAST);
        assertThat(SortKey.desc("x").nulls()).isEqualTo(Nulls.FIRST);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "INTEGER|",
                "INTEGER|1.5",
                "INTEGER|99999999999999999999",
                "NUMERIC|1e9",
                "NUMERIC|-",
                "NUMERIC|.",
                "FLOATING|secret",
                "BOOLEAN|true",
                "UUID|00000000-0000-0000-0000-00000000000g",
                "BYTES|\\x0",
                "BYTES|\\x0g",
                "BYTES|\\9",
                "DATE|21.11.2026",
                "DATE|11/21/2026",
                "DATE|11-21-2026",
                "DATE|2026-13-01",
                "DATE|2026-02-30",
                "DATE|2026-11-21 AD",
                "DATE|-inf",
                "TIME|25:00:00",
                "TIME|12:60:00",
                "TIMESTAMP|2026-11-21",
                "TIMESTAMP|2026-11-21 10:00:00+00",
                "TIMESTAMPTZ|2026-11-21 10:00:00",
                "TIMESTAMPTZ|2026-11-21 10:00:00 UTC",
                "TIMESTAMP|9999999-01-01 00:00:00",
                "INTERVAL|1-2",
                "INTERVAL|P1Y",
                "INTERVAL|@ 1 day",
                "INTERVAL|1 day ago",
                "INTERVAL|1 fortnight",
                "INTERVAL|9999999999 days",
                "INTERVAL|9999999999:00:00",
                "INTERVAL|1 day 2"
            })
    void whatIsNotOfTheServersFormIsRefusedWithoutItsValue(KeyKind kind, @Nullable String text) {
        String value = text == null ? "" : text;
        assertThatExceptionOfType(SortOrderException.class)
                .isThrownBy(() -> plan(SortKey.asc("x"), kind).decode(new @Nullable String[] {value}))
                .withMessageContaining("\"x\"")
                .withMessageContaining(kind.typeName())
                .withMessageNotContaining("secret")
                .withNoCause();
    }

    @Test
    void textThatTheServerCannotStoreIsRefused() {
        SortPlan plan = plan(SortKey.asc("x"), KeyKind.TEXT);
        for (String text : List.of("a\0", "\ud800", "\udc00a")) {
            assertThatExceptionOfType(SortOrderException.class)
                    .isThrownBy(() -> plan.decode(new @Nullable String[] {text}));
        }
        assertThatExceptionOfType(SortOrderException.class)
                .isThrownBy(() -> plan.decode(new @Nullable String[] {"a", "b"}))
                .withMessageContaining("1 sort keys")
                .withMessageContaining("2 values");
    }

    @Test
    void valuesDoNotPrint() {
        SortValues values = plan(SortKey.asc("x"), KeyKind.TEXT).decode(new @Nullable String[] {"secret"});
        assertThat(values.toString()).doesNotContain("secret");
    }

    @Test
    void columnOfAKeyMustHaveAName() {
        assertThatIllegalArgumentException().isThrownBy(() -> SortKey.asc("")).withMessageContaining("empty");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SortKey.asc("a\0"))
                .withMessageContaining("\"a?\"");
    }
}
