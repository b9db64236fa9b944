package io.reactiverouter.aggregate;

import java.math.BigDecimal;
import java.util.Arrays;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/** One group with its results. Immutable as far as its values are. */
public final class AggregateRow {

    private final List<String> names;
    private final @Nullable Object[] values;

    AggregateRow(List<String> names, @Nullable Object[] values) {
        this.names = names;
        this.values = values;
    }

    /** Returns the group columns and then the results, in the order of the aggregation. */
    public List<String> names() {
        return names;
    }

    /**
     * Returns a group value or a result in its natural type: {@link Long} for counts, {@link BigDecimal} with PostgreSQL's
     * scale for {@code numeric}, and so on. A {@code numeric} that is NaN or infinite is a {@link Double}.
     *
     * @throws NoSuchElementException if there is no such column
     */
    public @Nullable Object get(String column) {
        return values[index(column)];
    }

    /**
     * Returns a group value or a result. Integers are given as {@link Long} and {@link BigDecimal} too, and every number as
     * {@link Double}, which rounds a {@code numeric} to the nearest.
     *
     * @throws NoSuchElementException if there is no such column
     * @throws NonFiniteNumberException if it is NaN or infinite and {@code type} has no such value
     * @throws IllegalArgumentException if it is of another type; the message names it
     */
    public <T> @Nullable T get(String column, Class<T> type) {
        Object value = get(column);
        if (value == null || type.isInstance(value)) {
            return type.cast(value);
        }
        if (value instanceof Number number) {
            if (type == Double.class) {
                return type.cast(number.doubleValue());
            }
            if (!Double.isFinite(number.doubleValue()) && !(value instanceof BigDecimal)) {
                throw new NonFiniteNumberException(column, number.doubleValue(), type);
            }
            if (value instanceof Long || value instanceof Integer || value instanceof Short) {
                if (type == Long.class) {
                    return type.cast(number.longValue());
                }
                if (type == BigDecimal.class) {
                    return type.cast(BigDecimal.valueOf(number.longValue()));
                }
            }
        }
        throw new IllegalArgumentException(
                "column " + column + " is a " + value.getClass().getName() + " and not a " + type.getName());
    }

    private int index(String column) {
        int index = names.indexOf(column);
        if (index < 0) {
            throw new NoSuchElementException("no column " + column + "; there are " + names);
        }
        return index;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof AggregateRow same && same.names.equals(names) && Arrays.equals(same.values, values);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(values);
    }

    @Override
    public String toString() {
        StringJoiner columns = new StringJoiner(", ", "AggregateRow[", "]");
        for (int i = 0; i < values.length; i++) {
            columns.add(names.get(i) + "=" + values[i]);
        }
        return columns.toString();
    }
}
