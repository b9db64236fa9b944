package io.reactiverouter.aggregate;

import io.reactiverouter.order.SortKey;
import io.reactiverouter.order.SortKey.Direction;
import io.reactiverouter.order.SortKey.Nulls;
import io.reactiverouter.order.SortPlan;
import io.reactiverouter.order.SortValues;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * Groups in an order that needs results. Holds no more than the limit of the result or, without one, {@code maxGroups}. Not
 * thread-safe.
 */
final class SortedGroups {

    private static final int INITIAL_CAPACITY = 64;

    private final AggregatePlan plan;
    private final Aggregation.Limits limits;
    private final Comparator<MergedGroup> order;

    /** The last of the groups so far is at its head. */
    private final PriorityQueue<MergedGroup> groups;

    SortedGroups(AggregatePlan plan) {
        this.plan = plan;
        this.limits = plan.aggregation().limits();
        this.order = this::compare;
        this.groups = new PriorityQueue<>(INITIAL_CAPACITY, order.reversed());
    }

    void add(MergedGroup group) {
        groups.add(group);
        if (groups.size() > limits.rows()) {
            groups.remove();
        }
        if (groups.size() > limits.groups()) {
            throw new AggregateLimitException(
                    "maxGroups",
                    limits.groups(),
                    "there are more groups than may be held in memory for an order by results",
                    "order by group columns, set a lower limit(n), or leave groups out with having");
        }
    }

    /** Returns the groups in order. The state is used up. */
    List<AggregateRow> rows() {
        List<AggregateRow> rows = new ArrayList<>(groups.size());
        while (!groups.isEmpty()) {
            rows.add(groups.remove().row());
        }
        Collections.reverse(rows);
        return rows;
    }

    private int compare(MergedGroup left, MergedGroup right) {
        List<SortKey> keys = plan.aggregation().order();
        for (int i = 0; i < keys.size(); i++) {
            int compared = compare(i, keys.get(i), left, right);
            if (compared != 0) {
                return compared;
            }
        }
        SortPlan all = plan.orders().groups();
        return all == null || left.key() == null || right.key() == null ? 0 : all.compare(left.key(), right.key());
    }

    private int compare(int index, SortKey key, MergedGroup left, MergedGroup right) {
        Object first = left.row().get(key.column());
        Object second = right.row().get(key.column());
        if (first == null || second == null) {
            int nullIsLess = key.nulls() == Nulls.FIRST ? -1 : 1;
            return first == second ? 0 : first == null ? nullIsLess : -nullIsLess;
        }
        SortPlan plan = planOf(index, key);
        int compared = plan == null
                ? compareNumbers((Number) first, (Number) second)
                : plan.compare(comparable(left, index), comparable(right, index));
        return key.direction() == Direction.ASC ? compared : Integer.compare(0, compared);
    }

    private @Nullable SortPlan planOf(int index, SortKey key) {
        SortPlan group = plan.orders().keys().get(index);
        if (group != null) {
            return group;
        }
        Aggregation aggregation = plan.aggregation();
        return plan.orders()
                .extremes()
                .get(aggregation.names().indexOf(key.column())
                        - aggregation.groups().size());
    }

    private static SortValues comparable(MergedGroup group, int index) {
        return Objects.requireNonNull(group.orderedBy().get(index));
    }

    /** Compares results of one column as PostgreSQL does: NaN is the greatest, and a zero has no sign. */
    static int compareNumbers(Number left, Number right) {
        if (left instanceof Long first && right instanceof Long second) {
            return first.compareTo(second);
        }
        if (left instanceof BigDecimal first && right instanceof BigDecimal second) {
            return first.compareTo(second);
        }
        return Double.compare(comparable(left), comparable(right));
    }

    private static double comparable(Number number) {
        // Beside a numeric without digits, any finite number stands for all.
        return number instanceof BigDecimal ? 0 : number.doubleValue() + 0.0;
    }
}
