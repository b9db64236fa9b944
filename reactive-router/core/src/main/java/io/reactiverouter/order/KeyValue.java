package io.reactiverouter.order;

import java.math.BigDecimal;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One value of a sort key in the form in which it is compared. {@link #compareTo} is PostgreSQL's own order of the type and
 * takes values of the same kind only; values that are the same to PostgreSQL give 0, though their text may differ.
 */
@SuppressWarnings("ComparableType")
abstract sealed class KeyValue {

    final KeyKind kind;

    private KeyValue(KeyKind kind) {
        this.kind = kind;
    }

    abstract int compareTo(KeyValue other);

    /** Values that sort as a number of 64 bits; the rank of an enum's label is one too. */
    static final class Scalar extends KeyValue {

        final long value;

        Scalar(KeyKind kind, long value) {
            super(kind);
            this.value = value;
        }

        @Override
        int compareTo(KeyValue other) {
            return Long.compare(value, ((Scalar) other).value);
        }
    }

    /** Not in Java's own order, in which -0 is less than 0. */
    static final class Floating extends KeyValue {

        final double value;

        Floating(double value) {
            super(KeyKind.FLOATING);
            this.value = value;
        }

        @Override
        int compareTo(KeyValue other) {
            double right = ((Floating) other).value;
            if (value < right) {
                return -1;
            }
            if (value > right) {
                return 1;
            }
            // Equal, or one of them is no number, which is greater than all others and equal to itself.
            return Boolean.compare(Double.isNaN(value), Double.isNaN(right));
        }
    }

    /** A decimal, or what has no digits: the infinities and NaN, which is the greatest. */
    static final class Decimal extends KeyValue {

        static final Decimal NEGATIVE_INFINITY = new Decimal(-1, BigDecimal.ZERO);
        static final Decimal INFINITY = new Decimal(1, BigDecimal.ZERO);
        static final Decimal NAN = new Decimal(2, BigDecimal.ZERO);

        final int rank;
        final BigDecimal value;

        private Decimal(int rank, BigDecimal value) {
            super(KeyKind.NUMERIC);
            this.rank = rank;
            this.value = value;
        }

        Decimal(BigDecimal value) {
            this(0, value);
        }

        @Override
        int compareTo(KeyValue other) {
            Decimal right = (Decimal) other;
            return rank == 0 && right.rank == 0 ? value.compareTo(right.value) : Integer.compare(rank, right.rank);
        }
    }

    /** Compared as unsigned bytes, the shorter first: for text, its UTF-8, so that the order is that of code points. */
    static final class Bytes extends KeyValue {

        final byte[] value;

        Bytes(KeyKind kind, byte[] value) {
            super(kind);
            this.value = value;
        }

        @Override
        int compareTo(KeyValue other) {
            return Arrays.compareUnsigned(value, ((Bytes) other).value);
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Bytes bytes && Arrays.equals(value, bytes.value);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(value);
        }
    }

    /** Compared by its bytes, unlike {@link java.util.UUID#compareTo}. */
    static final class Uuid extends KeyValue {

        final long high;
        final long low;

        Uuid(long high, long low) {
            super(KeyKind.UUID);
            this.high = high;
            this.low = low;
        }

        @Override
        int compareTo(KeyValue other) {
            Uuid right = (Uuid) other;
            int order = Long.compareUnsigned(high, right.high);
            return order != 0 ? order : Long.compareUnsigned(low, right.low);
        }
    }

    /** A month has 30 days and a day 24 hours where intervals are compared. */
    static final class Interval extends KeyValue {

        /** PostgreSQL's own form of the infinities, which it has since version 17. */
        static final Interval INFINITY = new Interval(Integer.MAX_VALUE, Integer.MAX_VALUE, Long.MAX_VALUE);

        static final Interval NEGATIVE_INFINITY = new Interval(Integer.MIN_VALUE, Integer.MIN_VALUE, Long.MIN_VALUE);

        private static final long DAYS_OF_MONTH = 30;

        final int months;
        final int days;
        final long micros;

        Interval(int months, int days, long micros) {
            super(KeyKind.INTERVAL);
            this.months = months;
            this.days = days;
            this.micros = micros;
        }

        @Override
        int compareTo(KeyValue other) {
            Interval right = (Interval) other;
            int order = Long.compare(wholeDays(), right.wholeDays());
            return order != 0 ? order : Long.compare(microsOfDay(), right.microsOfDay());
        }

        /** All of it in microseconds would not fit into 64 bits. */
        private long wholeDays() {
            return months * DAYS_OF_MONTH + days + Math.floorDiv(micros, Calendar.MICROS_OF_DAY);
        }

        private long microsOfDay() {
            return Math.floorMod(micros, Calendar.MICROS_OF_DAY);
        }

        boolean isInfinity() {
            return months == Integer.MAX_VALUE && days == Integer.MAX_VALUE && micros == Long.MAX_VALUE;
        }

        boolean isNegativeInfinity() {
            return months == Integer.MIN_VALUE && days == Integer.MIN_VALUE && micros == Long.MIN_VALUE;
        }
    }
}
