package io.reactiverouter.aggregate;

import io.reactiverouter.order.SortValues;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/** The least value, or under the opposite order the greatest, with the form in which it is compared. */
final class Extreme implements Accumulator {

    private final Comparator<? super SortValues> order;
    private @Nullable Object value;
    private SortValues comparable;

    /** @param value null if there is none */
    Extreme(Comparator<? super SortValues> order, @Nullable Object value, SortValues comparable) {
        this.order = order;
        this.value = value;
        this.comparable = comparable;
    }

    @Override
    public void merge(Accumulator other) {
        Extreme more = (Extreme) other;
        if (more.value != null && (value == null || order.compare(more.comparable, comparable) < 0)) {
            value = more.value;
            comparable = more.comparable;
        }
    }

    @Override
    public @Nullable Object result() {
        return value;
    }

    SortValues comparable() {
        return comparable;
    }
}
