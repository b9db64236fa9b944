package io.reactiverouter.aggregate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import java.math.BigDecimal;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The arithmetic of merging, on figures that PostgreSQL 15 printed. */
@NullUnmarked
class AggregateStatesTests {

    @ParameterizedTest
    @CsvSource({
        "1, 3, 0.33333333333333333333",
        "2, 3, 0.66666666666666666667",
        "10000, 3, 3333.3333333333333333",
        "12345678901234567890, 7, 1763668414462081127",
        "0.00001, 3, 0.000003333333333333333333",
        "0.00, 5, 0.00000000000000000000",
        "99999999, 10000, 9999.9999000000000000",
        "100000000, 2, 50000000.000000000000",
        "0.000000000000000000000000000001, 7, 0.000000000000000000000000000000142857142857142857",
        "3, 3, 1.00000000000000000000",
        "30001, 3, 10000.3333333333333333",
        "1.23456789012345678901234567, 2, 0.61728394506172839450617284",
    })
    void quotientHasTheScaleThatPostgresGivesIt(String dividend, String divisor, String quotient) {
        assertThat(Decimal.quotient(new BigDecimal(dividend), new BigDecimal(divisor))
                        .toPlainString())
                .isEqualTo(quotient);
        assertThat(Decimal.quotient(new BigDecimal(dividend).negate(), new BigDecimal(divisor))
                        .abs()
                        .toPlainString())
                .isEqualTo(quotient);
    }

    @Test
    void sumOfIntegersOverflowsAsBigintDoes() {
        Sums.OfIntegers sum = new Sums.OfIntegers(Long.MAX_VALUE - 1);
        sum.merge(new Sums.OfIntegers(1L));
        sum.merge(new Sums.OfIntegers(null));
        assertThat(sum.result()).isEqualTo(Long.MAX_VALUE);

        overflows(() -> sum.merge(new Sums.OfIntegers(1L)), "bigint out of range");
        overflows(() -> new Sums.OfIntegers(Long.MIN_VALUE).merge(new Sums.OfIntegers(-1L)), "bigint out of range");
    }

    @Test
    void floatingSumOverflowsUnlessItIsInfiniteAlready() {
        String message = "value out of range: overflow";
        overflows(() -> new Sums.OfDoubles(Double.MAX_VALUE).merge(new Sums.OfDoubles(Double.MAX_VALUE)), message);
        overflows(() -> new Sums.OfReals(Float.MAX_VALUE).merge(new Sums.OfReals(Float.MAX_VALUE)), message);
        overflows(
                () -> new Moments.OfDoubles(null, 1, 1e200, 0.0).merge(new Moments.OfDoubles(null, 1, -1e200, 0.0)),
                message);

        Sums.OfDoubles infinite = new Sums.OfDoubles(Double.POSITIVE_INFINITY);
        infinite.merge(new Sums.OfDoubles(Double.MAX_VALUE));
        assertThat(infinite.result()).isInfinite();
    }

    @Test
    void numericOverflowsItsFormat() {
        String most = "9".repeat(131_072);
        Sums.OfDecimals sum = new Sums.OfDecimals(most);
        assertThat(sum.result()).isEqualTo(new BigDecimal(most));
        sum.merge(new Sums.OfDecimals("1"));
        overflows(sum::result, "value overflows numeric format");
    }

    @ParameterizedTest
    @CsvSource({
        "NaN, 1, NaN",
        "Infinity, 1.5, Infinity",
        "Infinity, -Infinity, NaN",
        "-Infinity, -Infinity, -Infinity",
        "NaN, Infinity, NaN",
    })
    void numbersWithoutDigitsStay(String left, String right, double sum) {
        for (List<String> order : List.of(List.of(left, right), List.of(right, left))) {
            Sums.OfDecimals merged = new Sums.OfDecimals(order.get(0));
            merged.merge(new Sums.OfDecimals(order.get(1)));
            assertThat(merged.result()).isEqualTo(sum);
        }
    }

    @Test
    void spreadDoesNotLoseDigitsOfNumbersFarFromZero() {
        Moments.OfDoubles left = new Moments.OfDoubles(Deviation.VAR_POP, 2, 2e9 + 1, 0.5);
        left.merge(new Moments.OfDoubles(Deviation.VAR_POP, 0, null, null));
        left.merge(new Moments.OfDoubles(Deviation.VAR_POP, 2, 2e9 + 5, 0.5));

        // Of 1e9 and the four numbers 0, 1, 2, 3 above it.
        assertThat(left.result()).isEqualTo(1.25, within(1e-12));
        Moments.OfDoubles one = new Moments.OfDoubles(Deviation.STDDEV_SAMP, 1, 7.0, 0.0);
        assertThat(one.result()).isNull();
    }

    @Test
    void resultsCompareAsPostgresComparesThem() {
        assertThat(SortedGroups.compareNumbers(Double.NaN, new BigDecimal("1e400")))
                .isPositive();
        assertThat(SortedGroups.compareNumbers(new BigDecimal("1e400"), Double.POSITIVE_INFINITY))
                .isNegative();
        assertThat(SortedGroups.compareNumbers(Double.NEGATIVE_INFINITY, new BigDecimal("-1e400")))
                .isNegative();
        assertThat(SortedGroups.compareNumbers(-0.0, 0.0)).isZero();
        assertThat(SortedGroups.compareNumbers(new BigDecimal("1.0"), new BigDecimal("1.00")))
                .isZero();
        assertThat(SortedGroups.compareNumbers(Long.MAX_VALUE - 1, Long.MAX_VALUE))
                .isNegative();
    }

    private static void overflows(Runnable merge, String message) {
        assertThatExceptionOfType(AggregateOverflowException.class)
                .isThrownBy(merge::run)
                .withMessage(message)
                .satisfies(e -> assertThat(e.getSqlState()).isEqualTo("22003"));
    }
}
