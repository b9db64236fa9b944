package io.reactiverouter.order;

import org.jspecify.annotations.Nullable;

/**
 * The values of the sort keys of one row, made and compared by a {@link SortPlan}. Holds nothing of the row, so it may be
 * kept. Immutable; {@link #toString()} shows no value.
 */
public final class SortValues {

    private final @Nullable KeyValue[] values;

    /** Takes the array over. */
    SortValues(@Nullable KeyValue[] values) {
        this.values = values;
    }

    @Nullable KeyValue value(int key) {
        return values[key];
    }

    int size() {
        return values.length;
    }

    @Override
    public String toString() {
        return "SortValues[" + values.length + "]";
    }
}
