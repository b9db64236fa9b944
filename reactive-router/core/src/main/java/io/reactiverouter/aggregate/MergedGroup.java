package io.reactiverouter.aggregate;

import io.reactiverouter.order.SortValues;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A group with its results and what sorts it among others.
 *
 * @param key its place in the order of the groups, null if there is one only
 * @param orderedBy for each key of an order in memory, values that compare, or null for results that are numbers
 */
record MergedGroup(AggregateRow row, @Nullable SortValues key, List<@Nullable SortValues> orderedBy) {}
