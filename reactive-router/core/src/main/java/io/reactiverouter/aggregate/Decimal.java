package io.reactiverouter.aggregate;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import org.jspecify.annotations.Nullable;

/**
 * A value of PostgreSQL's {@code numeric}, its display scale included, with the arithmetic by which numeric.c finishes
 * aggregates.
 *
 * @param finite null for NaN and the infinities
 * @param special NaN or an infinity; 0 beside a finite value
 */
record Decimal(@Nullable BigDecimal finite, double special) {

    static final Decimal ZERO = new Decimal(BigDecimal.ZERO, 0);
    private static final Decimal NAN = new Decimal(null, Double.NaN);

    /** NUMERIC_MIN_SIG_DIGITS. */
    private static final int SIGNIFICANT_DIGITS = 16;

    /** NUMERIC_MAX_DISPLAY_SCALE. */
    private static final int MAX_SCALE = 1_000;

    /** NUMERIC_WEIGHT_MAX in decimal digits: the most before the decimal point. */
    private static final int MAX_INTEGER_DIGITS = 4 * (0x7FFF + 1);

    /** DEC_DIGITS: decimal digits in one digit of the server's representation. */
    private static final int DIGITS = 4;

    static Decimal of(BigDecimal value) {
        return new Decimal(value, 0);
    }

    static Decimal of(long value) {
        return of(BigDecimal.valueOf(value));
    }

    /** Reads what numeric_out prints: digits without exponent, NaN, Infinity or -Infinity. */
    static Decimal parse(String text) {
        return switch (text) {
            case "NaN" -> NAN;
            case "Infinity" -> new Decimal(null, Double.POSITIVE_INFINITY);
            case "-Infinity" -> new Decimal(null, Double.NEGATIVE_INFINITY);
            default -> of(new BigDecimal(text));
        };
    }

    /** Adds; the scale is the larger one. NaN and infinities go as in IEEE 754, which is what numeric_add does too. */
    Decimal plus(Decimal other) {
        if (finite != null && other.finite != null) {
            return of(finite.add(other.finite));
        }
        double sum = special + other.special;
        return Double.isNaN(sum) ? NAN : new Decimal(null, sum);
    }

    /** Divides by a number of rows, as numeric_div would. */
    Decimal dividedBy(long count) {
        return finite == null ? this : of(quotient(finite, BigDecimal.valueOf(count)));
    }

    /** Returns the value as results show it: a {@link BigDecimal}, or a {@link Double} that is not finite. */
    Object value() {
        if (finite == null) {
            return special;
        }
        if (finite.precision() - finite.scale() > MAX_INTEGER_DIGITS) {
            throw new AggregateOverflowException("value overflows numeric format");
        }
        return finite;
    }

    /**
     * Returns the variance of {@code count} values, or its root, as numeric_stddev_internal computes it; null if it is
     * undefined for so few.
     *
     * @param sum sum of the values
     * @param squares sum of their squares
     */
    static @Nullable Decimal variance(long count, Decimal sum, Decimal squares, Deviation deviation) {
        if (count == 0 || (deviation.ofSample() && count == 1)) {
            return null;
        }
        if (sum.finite == null || squares.finite == null) {
            return NAN;
        }
        BigDecimal rows = BigDecimal.valueOf(count);
        BigDecimal numerator = rows.multiply(squares.finite).subtract(sum.finite.multiply(sum.finite));
        if (numerator.signum() <= 0) {
            return ZERO;
        }
        BigDecimal variance =
                quotient(numerator, rows.multiply(deviation.ofSample() ? rows.subtract(BigDecimal.ONE) : rows));
        return of(deviation.isRoot() ? root(variance) : variance);
    }

    /** Divides with the scale that select_div_scale chooses, halves away from zero. The divisor is not 0. */
    static BigDecimal quotient(BigDecimal dividend, BigDecimal divisor) {
        return dividend.divide(divisor, divisionScale(dividend, divisor), RoundingMode.HALF_UP);
    }

    /**
     * The scale of a quotient is such that at least 16 digits are significant, judged by the weight and the first digit of
     * both numbers in base 10 000, and never below that of an operand.
     */
    private static int divisionScale(BigDecimal dividend, BigDecimal divisor) {
        int weight = weight(dividend) - weight(divisor);
        if (firstDigit(dividend) <= firstDigit(divisor)) {
            weight--;
        }
        int scale = SIGNIFICANT_DIGITS - weight * DIGITS;
        scale = Math.max(scale, Math.max(dividend.scale(), divisor.scale()));
        return Math.min(scale, MAX_SCALE);
    }

    private static int weight(BigDecimal value) {
        return value.signum() == 0 ? 0 : Math.floorDiv(value.precision() - value.scale() - 1, DIGITS);
    }

    private static int firstDigit(BigDecimal value) {
        return value.abs().movePointLeft(weight(value) * DIGITS).intValue();
    }

    /** The root with the scale of its argument, halves up, as sqrt_var. */
    private static BigDecimal root(BigDecimal value) {
        int guarded = value.scale() + 1;
        BigInteger scaled = value.scaleByPowerOfTen(2 * guarded).toBigIntegerExact();
        return new BigDecimal(scaled.sqrt(), guarded).setScale(value.scale(), RoundingMode.HALF_UP);
    }

    @Override
    public String toString() {
        return finite == null ? Double.toString(special) : finite.toPlainString();
    }
}
