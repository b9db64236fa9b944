package io.reactiverouter.scatter;

import io.reactiverouter.order.SortKey;
import io.reactiverouter.order.SortPlan;
import io.reactiverouter.order.Subquery;
import io.reactiverouter.topology.ShardId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The statement that a shard runs for a {@link Selection}: the caller's query as a subquery, its parameters first.
 */
final class ShardSql {

    private static final String ALIAS = "q";
    private static final String FROM = " " + ALIAS;

    private final String sql;
    private final @Nullable Object[] parameters;
    private final long most;

    private ShardSql(String sql, @Nullable Object[] parameters, long most) {
        this.sql = sql;
        this.parameters = parameters;
        this.most = most;
    }

    private static ShardSql unlimited(ScatterQuery<?> query, ShardId shard) {
        return new ShardSql(query.sql(), query.parameters(shard), Selection.UNLIMITED);
    }

    String sql() {
        return sql;
    }

    /** Returns the values of {@code $1} and so on; not a copy. */
    @Nullable Object[] parameters() {
        return parameters;
    }

    /** Returns how many rows there are at most. */
    long most() {
        return most;
    }

    /**
     * Returns how many rows the server is to send at once, 0 for all: a portion that is all there can be needs no cursor, which
     * takes two more round trips.
     */
    int portion(int fetchSize) {
        return most <= fetchSize && parameters.length > 0 ? 0 : fetchSize;
    }

    static ShardSql unordered(ScatterQuery<?> query, ShardId shard, Selection selection) {
        // Not as a parameter: it would take the place of one that the caller has forgotten. With an order, the question
        // how the server sorts has shown that there are as many as there should be.
        return selection.isLimited()
                ? new ShardSql(
                        "select * from " + Subquery.of(query.sql()) + FROM + " limit " + selection.shardLimit(),
                        query.parameters(shard),
                        selection.shardLimit())
                : unlimited(query, shard);
    }

    static ShardSql ordered(ScatterQuery<?> query, ShardId shard, Selection selection, SortPlan plan) {
        if (selection.presorted()) {
            return unlimited(query, shard);
        }
        String from = Subquery.of(query.sql()) + FROM;
        String sql = selection.distinct()
                ? "select distinct on (" + keys(plan, false) + ") * from " + from + " order by " + keys(plan, true)
                : "select * from " + from + " " + plan.orderBy(ALIAS);
        return selection.isLimited()
                ? limited(sql, query.parameters(shard), selection)
                : new ShardSql(sql, query.parameters(shard), Selection.UNLIMITED);
    }

    /** Returns the statement for the rows after a place in the order; null if there are none. */
    static @Nullable ShardSql after(
            ScatterQuery<?> query, ShardId shard, Selection selection, SortPlan plan, @Nullable String[] place) {
        int known = query.parameters(shard).length;
        List<String> conditions = new Keyset(plan, place, known + 1).conditions(ALIAS);
        if (conditions.isEmpty()) {
            return null;
        }
        List<@Nullable Object> all = new ArrayList<>(Arrays.asList(query.parameters(shard)));
        for (String value : place) {
            if (value != null) {
                all.add(value);
            }
        }
        all.add(selection.shardLimit());
        @Nullable Object[] parameters = all.toArray();
        String end = " " + plan.orderBy(ALIAS) + " limit $" + parameters.length;
        String source = "select * from " + Subquery.of(query.sql()) + FROM;
        String sql = conditions.stream()
                .map(condition -> "(" + source + " where " + condition + end + ")")
                .collect(Collectors.joining("\nunion all\n"));
        return new ShardSql(
                conditions.size() == 1 ? sql : "select * from (" + sql + "\n) " + ALIAS + end,
                parameters,
                selection.shardLimit());
    }

    private static String keys(SortPlan plan, boolean sorted) {
        return IntStream.range(0, plan.keys().size())
                .mapToObj(i -> {
                    SortKey key = plan.keys().get(i);
                    return plan.expression(i, ALIAS) + (sorted ? " " + key.direction() + " nulls " + key.nulls() : "");
                })
                .collect(Collectors.joining(", "));
    }

    private static ShardSql limited(String sql, @Nullable Object[] parameters, Selection selection) {
        @Nullable Object[] more = Arrays.copyOf(parameters, parameters.length + 1);
        more[parameters.length] = selection.shardLimit();
        return new ShardSql(sql + " limit $" + more.length, more, selection.shardLimit());
    }
}
