package io.reactiverouter.aggregate;

import io.r2dbc.spi.Connection;
import io.reactiverouter.aggregate.Aggregate.Function;
import io.reactiverouter.order.SortKey;
import io.reactiverouter.order.SortKey.Collation;
import io.reactiverouter.order.SortKey.Direction;
import io.reactiverouter.order.SortKey.Nulls;
import io.reactiverouter.order.SortOrderException;
import io.reactiverouter.order.SortPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * The orders in which one server sorts what an aggregation has to compare.
 *
 * @param groups that in which groups arrive, null if there is one group only
 * @param extremes for each aggregate the ascending order of its column, null if it is neither min nor max
 * @param distinct the order of each distinct column
 * @param keys for each key of an order in memory that is a group column, its ascending order, otherwise null; empty if groups
 *     arrive in the order that is asked for
 */
record AggregateOrders(
        @Nullable SortPlan groups,
        List<@Nullable SortPlan> extremes,
        List<SortPlan> distinct,
        List<@Nullable SortPlan> keys) {

    /** Describes all orders, one after the other on the connection. */
    static Mono<AggregateOrders> describe(
            Connection connection, ShardSelect select, @Nullable Object[] parameters, Aggregation aggregation) {
        List<Mono<Optional<SortPlan>>> plans = new ArrayList<>();
        Describer describer = new Describer(connection, select.sql(), parameters);
        plans.add(describer.of("groups", groupKeys(aggregation)));
        for (Aggregate aggregate : aggregation.aggregates()) {
            boolean isExtreme = aggregate.function() == Function.MIN || aggregate.function() == Function.MAX;
            plans.add(describer.of(
                    aggregate + " as " + aggregate.name(),
                    isExtreme ? List.of(SortKey.asc(aggregate.name())) : List.of()));
        }
        for (String name : select.distinctNames()) {
            plans.add(describer.of("distinct values", List.of(ascending(name))));
        }
        List<SortKey> keys = arrivesInOrder(aggregation) ? List.of() : aggregation.order();
        for (SortKey key : keys) {
            boolean isGroup = aggregation.groups().contains(key.column());
            plans.add(describer.of(
                    "order",
                    isGroup
                            ? List.of(new SortKey(key.column(), Direction.ASC, Nulls.LAST, key.collation()))
                            : List.of()));
        }
        int aggregates = aggregation.aggregates().size();
        int distinct = select.distinctNames().size();
        return Flux.concat(plans).collectList().map(found -> {
            List<@Nullable SortPlan> all = new ArrayList<>();
            found.forEach(plan -> all.add(plan.orElse(null)));
            return new AggregateOrders(
                    all.get(0),
                    all.subList(1, 1 + aggregates),
                    all.subList(1 + aggregates, 1 + aggregates + distinct).stream()
                            .map(Objects::requireNonNull)
                            .toList(),
                    all.subList(1 + aggregates + distinct, all.size()));
        });
    }

    /** Describes orders of one query. */
    private static final class Describer {

        private final Connection connection;
        private final String sql;
        private final @Nullable Object[] parameters;

        Describer(Connection connection, String sql, @Nullable Object[] parameters) {
            this.connection = connection;
            this.sql = sql;
            this.parameters = parameters;
        }

        /** Returns nothing where there is no key. */
        Mono<Optional<SortPlan>> of(String what, List<SortKey> keys) {
            if (keys.isEmpty()) {
                return Mono.just(Optional.empty());
            }
            return SortPlan.describe(connection, sql, parameters, keys)
                    .map(Optional::of)
                    .onErrorMap(
                            SortOrderException.class,
                            e -> new UnsupportedAggregateException(what + " cannot be merged: " + e.getMessage(), e));
        }
    }

    /** Whether the shards can sort groups as the caller wants them. */
    static boolean arrivesInOrder(Aggregation aggregation) {
        return aggregation.order().stream().allMatch(key -> aggregation.groups().contains(key.column()));
    }

    /** All group columns, in the caller's order where that is possible. */
    private static List<SortKey> groupKeys(Aggregation aggregation) {
        List<SortKey> keys = new ArrayList<>(arrivesInOrder(aggregation) ? aggregation.order() : List.of());
        List<String> present = keys.stream().map(SortKey::column).toList();
        aggregation.groups().stream()
                .filter(group -> !present.contains(group))
                .forEach(group -> keys.add(ascending(group)));
        return keys;
    }

    private static SortKey ascending(String column) {
        return new SortKey(column, Direction.ASC, Nulls.LAST, Collation.C_IF_TEXT);
    }
}
