package io.reactiverouter.aggregate;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.Row;
import io.reactiverouter.aggregate.PartialGroup.States;
import io.reactiverouter.order.SortPlan;
import io.reactiverouter.order.SortValues;
import io.reactiverouter.stream.EndWith;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * How an aggregation over one query is spread over shards: what each is asked, and how the answers become one. Each shard
 * gets {@link #shardQuery} with the parameters of the query; {@link #read} takes its rows; partial groups of all shards,
 * merged by {@link #comparator}, go through {@link #merge}.
 *
 * <p>Plans are equal when one of them can read and merge the rows of both servers. A plan describes the schema of the
 * moment. Immutable and thread-safe.
 */
public final class AggregatePlan {

    private final Aggregation aggregation;
    private final ColumnTypes types;
    private final ShardSelect select;
    private final AggregateOrders orders;
    private final String shardQuery;

    private AggregatePlan(Aggregation aggregation, ColumnTypes types, ShardSelect select, AggregateOrders orders) {
        this.aggregation = aggregation;
        this.types = types;
        this.select = select;
        this.orders = orders;
        SortPlan groups = orders.groups();
        this.shardQuery = groups == null
                ? select.sql()
                : "select * from " + Sql.table(select.sql(), "p") + " " + groups.orderBy("p");
    }

    /**
     * Asks a server for the types behind an aggregation, without computing a row: one round trip, and two for each order
     * that is needed, those of the groups, of each min and max and of each distinct column.
     *
     * <p>Ends with {@link UnsupportedAggregateException} if states of a type cannot be merged, or values cannot be compared
     * here as PostgreSQL does, as text under a collation that is not by code point for min and max. Unknown columns, and
     * aggregates that the server does not have for a type, are errors of the driver.
     *
     * @param connection a connection of the router, on which nothing else runs meanwhile
     * @param sql a query that can stand in parentheses
     * @param parameters the values of $1 and so on, bound as the query itself will bind them
     */
    public static Mono<AggregatePlan> describe(
            Connection connection, String sql, @Nullable Object[] parameters, Aggregation aggregation) {
        return ColumnTypes.describe(connection, sql, parameters, aggregation).flatMap(types -> {
            ShardSelect select = new ShardSelect(sql, aggregation, types);
            return AggregateOrders.describe(connection, select, parameters, aggregation)
                    .map(orders -> new AggregatePlan(aggregation, types, select, orders));
        });
    }

    /** Returns the SQL for each shard; its parameters are those of the query. */
    public String shardQuery() {
        return shardQuery;
    }

    /** Returns what a row of {@link #shardQuery} says. The row must come from a connection of the router. */
    public PartialGroup read(Row row) {
        SortPlan groups = orders.groups();
        SortValues key = groups == null ? null : groups.read(row);
        int distinct = select.distinctColumn(row);
        if (distinct >= 0) {
            return new PartialGroup(
                    key, distinct, orders.distinct().get(distinct).read(row));
        }
        List<SortValues> orderedBy = new ArrayList<>();
        for (SortPlan plan : orders.keys()) {
            if (plan != null) {
                orderedBy.add(plan.read(row));
            }
        }
        return new PartialGroup(
                key, new States(select.groupValues(row), select.accumulators(row, orders.extremes()), orderedBy));
    }

    /** Returns the order in which each shard sends its partial groups. Those of one group are equal. */
    public Comparator<PartialGroup> comparator() {
        return this::compare;
    }

    int compare(PartialGroup left, PartialGroup right) {
        SortPlan groups = orders.groups();
        return groups == null ? 0 : groups.compare(Objects.requireNonNull(left.key), Objects.requireNonNull(right.key));
    }

    /**
     * Merges the partial groups of all shards, which must arrive in the order of {@link #comparator}. Holds one group at a
     * time, unless they are ordered by results; asks for no more than its subscriber does, and passes a cancel on. Ends
     * with {@link AggregateOverflowException} or {@link AggregateLimitException} where these say so.
     */
    public Flux<AggregateRow> merge(Flux<PartialGroup> sorted) {
        Flux<MergedGroup> groups = Flux.defer(() -> {
            GroupMerge merge = new GroupMerge(this);
            return EndWith.of(sorted, () -> GroupMerge.END).<MergedGroup>handle(merge::accept);
        });
        Predicate<AggregateRow> having = aggregation.having();
        Flux<MergedGroup> kept = having == null ? groups : groups.filter(group -> having.test(group.row()));
        long limit = aggregation.limits().rows();
        if (AggregateOrders.arrivesInOrder(aggregation)) {
            Flux<AggregateRow> rows = kept.map(MergedGroup::row);
            return limit == Long.MAX_VALUE ? rows : rows.take(limit);
        }
        return kept.collect(() -> new SortedGroups(this), SortedGroups::add).flatMapIterable(SortedGroups::rows);
    }

    /**
     * Checks that rows of the server of another plan can be merged with those of this one.
     *
     * @throws UnsupportedAggregateException if not; the message says how the servers differ
     */
    public void requireSame(AggregatePlan other) {
        if (!types.equals(other.types)) {
            throw new UnsupportedAggregateException("the columns " + aggregation.names() + " are of types "
                    + types.names() + " on one shard and " + other.types.names()
                    + " on another; cast them in the query, or give the tables the same types");
        }
        if (!equals(other)) {
            throw new UnsupportedAggregateException("shards compare values differently: " + orders + " and "
                    + other.orders + "; give the tables the same types and enums the same labels");
        }
    }

    Aggregation aggregation() {
        return aggregation;
    }

    ShardSelect select() {
        return select;
    }

    AggregateOrders orders() {
        return orders;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof AggregatePlan plan
                && aggregation == plan.aggregation
                && shardQuery.equals(plan.shardQuery)
                && types.equals(plan.types)
                && orders.equals(plan.orders);
    }

    @Override
    public int hashCode() {
        return Objects.hash(shardQuery, types, orders);
    }

    @Override
    public String toString() {
        return "AggregatePlan[" + aggregation + ", types " + types.names() + "]";
    }
}
