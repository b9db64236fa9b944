package io.reactiverouter.aggregate;

import io.r2dbc.spi.Row;
import io.reactiverouter.aggregate.Aggregate.Function;
import io.reactiverouter.order.SortPlan;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The query that a shard answers, without its order, and the meaning of its columns.
 *
 * <p>Each group is one row with all states. Where distinct values are counted, grouping sets add one row for each distinct
 * value of a group: they stream like groups, where an array for each group would be one row of any size.
 */
final class ShardSelect {

    private final List<Group> groups = new ArrayList<>();
    private final List<@Nullable Measure> measures = new ArrayList<>();

    /** The columns of which shards send distinct values, with the name that each has in the result. */
    private final Map<String, String> distinct = new LinkedHashMap<>();

    private final int kind;
    private final String sql;

    private record Group(int column, ColumnTypes.SqlType type) {}

    /** @throws UnsupportedAggregateException if the states of an aggregate cannot be merged */
    ShardSelect(String query, Aggregation aggregation, ColumnTypes types) {
        SelectList select = new SelectList(aggregation.names());
        for (String group : aggregation.groups()) {
            ColumnTypes.SqlType type = types.get(groups.size());
            String expression = "q." + Sql.identifier(group);
            // The name is that by which the order finds it.
            int compared = select.add(expression, group);
            groups.add(new Group(type.isNumeric() ? select.add(expression + "::text") : compared, type));
        }
        for (Aggregate aggregate : aggregation.aggregates()) {
            ColumnTypes.SqlType type = types.get(groups.size() + measures.size());
            if (aggregate.function() == Function.COUNT_DISTINCT) {
                addDistinct(aggregate, aggregation, select);
                measures.add(null);
            } else {
                measures.add(Measure.of(aggregate, type, select));
            }
        }
        String sets = Sql.groupBy(aggregation.groups());
        if (!distinct.isEmpty()) {
            List<String> columns =
                    distinct.keySet().stream().map(ShardSelect::expression).toList();
            kind = select.add("grouping(" + String.join(", ", columns) + ")");
            sets = groupingSets(aggregation.groups(), columns);
        } else {
            kind = -1;
        }
        sql = "select " + select + " from " + Sql.table(query, "q") + sets;
    }

    /** A column of the groups has one distinct value in each, which needs no help of the shards. */
    private void addDistinct(Aggregate aggregate, Aggregation aggregation, SelectList select) {
        String column = aggregate.requiredColumn();
        if (!aggregation.groups().contains(column) && distinct.putIfAbsent(column, aggregate.name()) == null) {
            select.add(expression(column), aggregate.name());
        }
    }

    private static String groupingSets(List<String> groups, List<String> distinct) {
        List<String> common = groups.stream().map(ShardSelect::expression).toList();
        List<String> sets = new ArrayList<>();
        sets.add("(" + String.join(", ", common) + ")");
        for (String column : distinct) {
            List<String> set = new ArrayList<>(common);
            set.add(column);
            sets.add("(" + String.join(", ", set) + ")");
        }
        // A null is no distinct value. In the rows of the other sets the column is null, too.
        List<String> present = distinct.stream()
                .map(column -> "(grouping(" + column + ") = 1 or " + column + " is not null)")
                .toList();
        return " group by grouping sets (" + String.join(", ", sets) + ") having " + String.join(" and ", present);
    }

    private static String expression(String column) {
        return "q." + Sql.identifier(column);
    }

    String sql() {
        return sql;
    }

    /** Returns the names in the result under which distinct values arrive, in the order of {@link #distinctColumn}. */
    List<String> distinctNames() {
        return List.copyOf(distinct.values());
    }

    /** Returns the place of a column among those of which shards send distinct values, -1 if it is none. */
    int indexOfDistinct(String column) {
        return List.copyOf(distinct.keySet()).indexOf(column);
    }

    /** Returns which distinct column a row has a value of, -1 if it has the states of a group. */
    int distinctColumn(Row row) {
        if (kind < 0) {
            return -1;
        }
        // One bit for each column, the first in front; it is not set if the row was grouped by the column.
        int columns = distinct.size();
        int grouped = ~Objects.requireNonNull(row.get(kind, Integer.class)) & ((1 << columns) - 1);
        return grouped == 0 ? -1 : Integer.numberOfLeadingZeros(grouped) - (Integer.SIZE - columns);
    }

    List<@Nullable Object> groupValues(Row row) {
        List<@Nullable Object> values = new ArrayList<>(groups.size());
        groups.forEach(group -> values.add(Measure.value(row, group.column(), group.type())));
        return values;
    }

    /** @param orders for each aggregate the order of its column, null if it needs none */
    List<@Nullable Accumulator> accumulators(Row row, List<@Nullable SortPlan> orders) {
        List<@Nullable Accumulator> accumulators = new ArrayList<>(measures.size());
        for (int i = 0; i < measures.size(); i++) {
            Measure measure = measures.get(i);
            accumulators.add(measure == null ? null : measure.read(row, orders.get(i)));
        }
        return accumulators;
    }
}
