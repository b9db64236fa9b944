package io.reactiverouter.aggregate;

import io.reactiverouter.order.SortValues;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one row of a shard says about a group; made, compared and merged by an {@link AggregatePlan}. Holds nothing of the
 * row. Goes into one merge only, which changes it.
 */
public final class PartialGroup {

    final @Nullable SortValues key;

    /** The aggregates that are states; null if this is one distinct value. */
    final @Nullable States states;

    /** Which of the columns a distinct value is of. */
    final int distinctColumn;

    /** A distinct value, null if this is something else. */
    final @Nullable SortValues distinct;

    /**
     * Everything but distinct values.
     *
     * @param accumulators null for aggregates that count distinct values
     * @param orderedBy group values for an order in memory
     */
    record States(
            List<@Nullable Object> groupValues, List<@Nullable Accumulator> accumulators, List<SortValues> orderedBy) {}

    PartialGroup(@Nullable SortValues key, States states) {
        this(key, states, -1, null);
    }

    PartialGroup(@Nullable SortValues key, int distinctColumn, @Nullable SortValues distinct) {
        this(key, null, distinctColumn, distinct);
    }

    private PartialGroup(
            @Nullable SortValues key, @Nullable States states, int distinctColumn, @Nullable SortValues distinct) {
        this.key = key;
        this.states = states;
        this.distinctColumn = distinctColumn;
        this.distinct = distinct;
    }
}
