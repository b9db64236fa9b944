package io.reactiverouter.aggregate;

import org.jspecify.annotations.Nullable;

/** Sums and counts, each added up in the type that PostgreSQL adds in. */
final class Sums {

    private Sums() {}

    /** A number of rows; never null. */
    static final class Count implements Accumulator {

        private long count;

        Count(long count) {
            this.count = count;
        }

        @Override
        public void merge(Accumulator other) {
            count = Math.addExact(count, ((Count) other).count);
        }

        @Override
        public Long result() {
            return count;
        }
    }

    /** A sum of smallint or integer, which is a bigint. */
    static final class OfIntegers implements Accumulator {

        private @Nullable Long sum;

        OfIntegers(@Nullable Long sum) {
            this.sum = sum;
        }

        @Override
        public void merge(Accumulator other) {
            Long more = ((OfIntegers) other).sum;
            if (sum == null || more == null) {
                sum = sum == null ? more : sum;
                return;
            }
            long merged = sum + more;
            if (((sum ^ merged) & (more ^ merged)) < 0) {
                throw new AggregateOverflowException("bigint out of range");
            }
            sum = merged;
        }

        @Override
        public @Nullable Long result() {
            return sum;
        }
    }

    /** A sum of bigint or numeric, which is a numeric. */
    static final class OfDecimals implements Accumulator {

        private @Nullable Decimal sum;

        OfDecimals(@Nullable String sum) {
            this.sum = sum == null ? null : Decimal.parse(sum);
        }

        @Override
        public void merge(Accumulator other) {
            Decimal more = ((OfDecimals) other).sum;
            if (more != null) {
                sum = sum == null ? more : sum.plus(more);
            }
        }

        @Override
        public @Nullable Object result() {
            return sum == null ? null : sum.value();
        }
    }

    /** A sum of real, which is rounded to a real with each addition. */
    static final class OfReals implements Accumulator {

        private @Nullable Float sum;

        OfReals(@Nullable Float sum) {
            this.sum = sum;
        }

        @Override
        public void merge(Accumulator other) {
            Float more = ((OfReals) other).sum;
            if (sum == null || more == null) {
                sum = sum == null ? more : sum;
                return;
            }
            float merged = sum + more;
            if (Float.isInfinite(merged) && !Float.isInfinite(sum) && !Float.isInfinite(more)) {
                throw new AggregateOverflowException("value out of range: overflow");
            }
            sum = merged;
        }

        @Override
        public @Nullable Float result() {
            return sum;
        }
    }

    /** A sum of double precision. */
    static final class OfDoubles implements Accumulator {

        private @Nullable Double sum;

        OfDoubles(@Nullable Double sum) {
            this.sum = sum;
        }

        @Override
        public void merge(Accumulator other) {
            Double more = ((OfDoubles) other).sum;
            sum = sum == null || more == null ? (sum == null ? more : sum) : Double.valueOf(add(sum, more));
        }

        /** Adds as float8_pl does: an infinity out of finite numbers is an error. */
        static double add(double left, double right) {
            double sum = left + right;
            if (Double.isInfinite(sum) && !Double.isInfinite(left) && !Double.isInfinite(right)) {
                throw new AggregateOverflowException("value out of range: overflow");
            }
            return sum;
        }

        @Override
        public @Nullable Double result() {
            return sum;
        }
    }
}
