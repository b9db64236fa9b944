package io.reactiverouter.aggregate;

import org.jspecify.annotations.Nullable;

/** Number, sum and spread of values: what means and variances are made of. */
final class Moments {

    private Moments() {}

    /** Of integers and numeric, without rounding before the end. */
    static final class OfDecimals implements Accumulator {

        private final @Nullable Deviation deviation;
        private long count;
        private Decimal sum;
        private Decimal squares;

        /**
         * @param deviation null for the mean
         * @param sum null if there is no value
         * @param squares sum of the squares, null if there is no value or a mean is asked for
         */
        OfDecimals(@Nullable Deviation deviation, long count, @Nullable String sum, @Nullable String squares) {
            this.deviation = deviation;
            this.count = count;
            this.sum = sum == null ? Decimal.ZERO : Decimal.parse(sum);
            this.squares = squares == null ? Decimal.ZERO : Decimal.parse(squares);
        }

        @Override
        public void merge(Accumulator other) {
            OfDecimals more = (OfDecimals) other;
            count = Math.addExact(count, more.count);
            sum = sum.plus(more.sum);
            squares = squares.plus(more.squares);
        }

        @Override
        public @Nullable Object result() {
            if (deviation == null) {
                return count == 0 ? null : sum.dividedBy(count).value();
            }
            Decimal variance = Decimal.variance(count, sum, squares, deviation);
            return variance == null ? null : variance.value();
        }
    }

    /** Of real and double precision: the method of Youngs and Cramer, as in float8_combine of float.c. */
    static final class OfDoubles implements Accumulator {

        private final @Nullable Deviation deviation;
        private double count;
        private double sum;

        /** Sum of the squared distances from the mean. */
        private double spread;

        /**
         * @param deviation null for the mean
         * @param sum null if there is no value
         * @param spread null if there is no value
         */
        OfDoubles(@Nullable Deviation deviation, long count, @Nullable Double sum, @Nullable Double spread) {
            this.deviation = deviation;
            this.count = count;
            this.sum = sum == null ? 0 : sum;
            this.spread = spread == null ? 0 : spread;
        }

        @Override
        public void merge(Accumulator other) {
            OfDoubles more = (OfDoubles) other;
            if (count == 0 || more.count == 0) {
                // Not by the formula: it divides by both.
                if (count == 0) {
                    count = more.count;
                    sum = more.sum;
                    spread = more.spread;
                }
                return;
            }
            double total = count + more.count;
            double distance = sum / count - more.sum / more.count;
            double merged = spread + more.spread + count * more.count * distance * distance / total;
            if (Double.isInfinite(merged) && !Double.isInfinite(spread) && !Double.isInfinite(more.spread)) {
                throw new AggregateOverflowException("value out of range: overflow");
            }
            sum = Sums.OfDoubles.add(sum, more.sum);
            spread = merged;
            count = total;
        }

        @Override
        public @Nullable Double result() {
            if (deviation == null) {
                return count == 0 ? null : Double.valueOf(sum / count);
            }
            if (count == 0 || (deviation.ofSample() && count == 1)) {
                return null;
            }
            double variance = spread / (deviation.ofSample() ? count - 1 : count);
            return deviation.isRoot() ? Math.sqrt(variance) : variance;
        }
    }
}
