package io.reactiverouter.aggregate;

import io.reactiverouter.aggregate.Aggregate.Function;
import io.reactiverouter.aggregate.PartialGroup.States;
import io.reactiverouter.order.SortKey;
import io.reactiverouter.order.SortPlan;
import io.reactiverouter.order.SortValues;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.SynchronousSink;

/** Merges partial groups that arrive in the order of groups. One for each subscription; not thread-safe. */
final class GroupMerge {

    /** Follows the last partial group. */
    static final PartialGroup END = new PartialGroup(null, -1, null);

    private final AggregatePlan plan;
    private final Aggregation aggregation;
    private final List<String> names;
    private final List<TreeSet<SortValues>> distinct = new ArrayList<>();
    private @Nullable PartialGroup current;
    private @Nullable States states;

    GroupMerge(AggregatePlan plan) {
        this.plan = plan;
        this.aggregation = plan.aggregation();
        this.names = aggregation.names();
        for (SortPlan order : plan.orders().distinct()) {
            distinct.add(new TreeSet<>(order.comparator()));
        }
    }

    /** Takes one partial group, and gives the merged group before it if it begins another. */
    void accept(PartialGroup partial, SynchronousSink<MergedGroup> sink) {
        PartialGroup before = current;
        if (partial == END) {
            if (before != null || aggregation.groups().isEmpty()) {
                sink.next(merged(before));
            }
            return;
        }
        int order = before == null ? 0 : plan.compare(before, partial);
        if (order > 0) {
            throw new IllegalStateException("partial groups do not arrive in the order of groups");
        }
        if (before != null && order < 0) {
            sink.next(merged(before));
            states = null;
            distinct.forEach(TreeSet::clear);
        }
        if (before == null || order < 0) {
            current = partial;
        }
        add(partial);
    }

    private void add(PartialGroup partial) {
        if (partial.distinct != null) {
            distinct.get(partial.distinctColumn).add(partial.distinct);
            requireDistinctLimit();
        }
        States more = partial.states;
        if (more == null) {
            return;
        }
        States merged = states;
        if (merged == null) {
            states = more;
            return;
        }
        for (int i = 0; i < merged.accumulators().size(); i++) {
            Accumulator into = merged.accumulators().get(i);
            Accumulator from = more.accumulators().get(i);
            if (into != null && from != null) {
                into.merge(from);
            }
        }
    }

    private void requireDistinctLimit() {
        int limit = aggregation.limits().distinct();
        long held = 0;
        for (TreeSet<SortValues> values : distinct) {
            held += values.size();
        }
        if (held > limit) {
            throw new AggregateLimitException(
                    "maxDistinct",
                    limit,
                    "one group has more distinct values than may be held in memory",
                    "group by more columns, or count fewer columns at once");
        }
    }

    private MergedGroup merged(@Nullable PartialGroup group) {
        @Nullable Object[] values = new @Nullable Object[names.size()];
        int groups = aggregation.groups().size();
        for (int i = 0; states != null && i < groups; i++) {
            values[i] = states.groupValues().get(i);
        }
        for (int i = groups; i < values.length; i++) {
            values[i] = result(i - groups, values);
        }
        return new MergedGroup(
                new AggregateRow(names, values),
                group == null ? null : group.key,
                states == null ? List.<@Nullable SortValues>of() : orderedBy(states));
    }

    private @Nullable Object result(int index, @Nullable Object[] groupValues) {
        Aggregate aggregate = aggregation.aggregates().get(index);
        if (aggregate.function() == Function.COUNT_DISTINCT) {
            int group = aggregation.groups().indexOf(aggregate.requiredColumn());
            if (group >= 0) {
                return groupValues[group] == null ? 0L : 1L;
            }
            return (long) distinct.get(plan.select().indexOfDistinct(aggregate.requiredColumn()))
                    .size();
        }
        Accumulator accumulator = states == null ? null : states.accumulators().get(index);
        if (accumulator == null) {
            return aggregate.function() == Function.COUNT ? 0L : null;
        }
        return accumulator.result();
    }

    private List<@Nullable SortValues> orderedBy(States of) {
        List<@Nullable SortValues> comparable = new ArrayList<>();
        List<@Nullable SortPlan> keys = plan.orders().keys();
        int next = 0;
        for (int i = 0; i < keys.size(); i++) {
            if (keys.get(i) != null) {
                comparable.add(of.orderedBy().get(next++));
                continue;
            }
            SortKey key = aggregation.order().get(i);
            int index = names.indexOf(key.column()) - aggregation.groups().size();
            comparable.add(of.accumulators().get(index) instanceof Extreme extreme ? extreme.comparable() : null);
        }
        return comparable;
    }
}
