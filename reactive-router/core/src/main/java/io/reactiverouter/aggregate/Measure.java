package io.reactiverouter.aggregate;

import io.r2dbc.spi.Row;
import io.reactiverouter.aggregate.ColumnTypes.SqlType;
import io.reactiverouter.order.SortPlan;
import io.reactiverouter.order.SortValues;
import java.util.Comparator;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** How the partial state of one aggregate is read from a shard's row; made together with the columns that it reads. */
@FunctionalInterface
interface Measure {

    /**
     * Reads the state of a group that has all aggregates in one row.
     *
     * @param order the order of the aggregate's column, there for min and max only
     */
    Accumulator read(Row row, @Nullable SortPlan order);

    /**
     * Adds what an aggregate needs to the columns of the shards' query. Numeric is sent as text: the driver's own decoding
     * turns NaN and the infinities into 0, and loses the scale of a zero.
     *
     * @param type the aggregate's result type
     * @throws UnsupportedAggregateException if the states of this type cannot be merged
     */
    static Measure of(Aggregate aggregate, SqlType type, SelectList select) {
        return switch (aggregate.function()) {
            case COUNT -> {
                int column = select.add(aggregate.sql("q"));
                yield (row, order) -> new Sums.Count(count(row, column));
            }
            case COUNT_DISTINCT -> throw new IllegalArgumentException("distinct values are no state of one row");
            case SUM -> sum(aggregate, type, select);
            case MIN, MAX -> extreme(aggregate, type, select);
            case AVG -> moments(aggregate, type, select, null);
            case VAR_POP -> moments(aggregate, type, select, Deviation.VAR_POP);
            case VAR_SAMP -> moments(aggregate, type, select, Deviation.VAR_SAMP);
            case STDDEV_POP -> moments(aggregate, type, select, Deviation.STDDEV_POP);
            case STDDEV_SAMP -> moments(aggregate, type, select, Deviation.STDDEV_SAMP);
        };
    }

    private static Measure sum(Aggregate aggregate, SqlType type, SelectList select) {
        String sum = aggregate.sql("q");
        int column = select.add(type.isNumeric() ? sum + "::text" : sum);
        return switch (type.oid()) {
            case SqlType.BIGINT -> (row, order) -> new Sums.OfIntegers(row.get(column, Long.class));
            case SqlType.NUMERIC -> (row, order) -> new Sums.OfDecimals(row.get(column, String.class));
            case SqlType.REAL -> (row, order) -> new Sums.OfReals(row.get(column, Float.class));
            case SqlType.DOUBLE -> (row, order) -> new Sums.OfDoubles(row.get(column, Double.class));
            default -> throw refused(aggregate, type);
        };
    }

    private static Measure moments(
            Aggregate aggregate, SqlType type, SelectList select, @Nullable Deviation deviation) {
        String argument = "q." + Sql.identifier(aggregate.requiredColumn());
        int count = select.add("count(" + argument + ")");
        if (type.oid() == SqlType.NUMERIC) {
            int sum = select.add("sum(" + argument + ")::text");
            int squares = deviation == null
                    ? -1
                    : select.add("sum(" + argument + "::numeric * " + argument + "::numeric)::text");
            return (row, order) -> new Moments.OfDecimals(
                    deviation,
                    count(row, count),
                    row.get(sum, String.class),
                    squares < 0 ? null : row.get(squares, String.class));
        }
        if (type.oid() == SqlType.DOUBLE) {
            int sum = select.add("sum(" + argument + "::float8)");
            // The spread of the values as one database keeps it, which it needs for the mean too: it may overflow.
            int spread = select.add("regr_sxx(" + argument + ", " + argument + ")");
            return (row, order) -> new Moments.OfDoubles(
                    deviation, count(row, count), row.get(sum, Double.class), row.get(spread, Double.class));
        }
        throw refused(aggregate, type);
    }

    private static Measure extreme(Aggregate aggregate, SqlType type, SelectList select) {
        // The name is that by which the order finds it.
        int compared = select.add(aggregate.sql("q"), aggregate.name());
        int shown = type.isNumeric() ? select.add(aggregate.sql("q") + "::text") : compared;
        boolean least = aggregate.function() == Aggregate.Function.MIN;
        return (row, order) -> {
            Comparator<SortValues> ascending = Objects.requireNonNull(order).comparator();
            return new Extreme(least ? ascending : ascending.reversed(), value(row, shown, type), order.read(row));
        };
    }

    /** Returns a value in its natural type. */
    static @Nullable Object value(Row row, int column, SqlType type) {
        if (!type.isNumeric()) {
            return row.get(column);
        }
        String text = row.get(column, String.class);
        return text == null ? null : Decimal.parse(text).value();
    }

    private static long count(Row row, int column) {
        return Objects.requireNonNull(row.get(column, Long.class));
    }

    private static UnsupportedAggregateException refused(Aggregate aggregate, SqlType type) {
        return new UnsupportedAggregateException(aggregate + " as " + aggregate.name() + " is of type " + type.name()
                + ", of which the shards' states cannot be merged; it can of integers, numeric, real and double"
                + " precision, so cast the column in the query, as extract(epoch from ...) does for an interval");
    }
}
