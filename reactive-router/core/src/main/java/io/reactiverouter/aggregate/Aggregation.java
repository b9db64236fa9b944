package io.reactiverouter.aggregate;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.reactiverouter.aggregate.Aggregate.Function;
import io.reactiverouter.order.SortKey;
import io.reactiverouter.order.SortKey.Collation;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What to compute over the rows of a query, as {@code group by} and the aggregates of PostgreSQL do over the union of all
 * shards. Columns are those of the query, named as they are there, in any case and without quotes. Immutable: each call
 * returns a new aggregation.
 *
 * <pre>{@code
 * Aggregation.groupBy("region")
 *     .count("orders")
 *     .sum("amount", "total")
 *     .countDistinct("user_id", "users")
 *     .having(group -> group.get("orders", Long.class) > 10)
 *     .orderBy(SortKey.desc("total"))
 *     .limit(20)
 * }</pre>
 *
 * <p>Groups come in ascending order of the group columns, null last, texts in the order of their bytes, and are computed one
 * at a time: memory does not grow with their number. So it is with {@link #orderBy} by group columns alone. An order by
 * results needs all groups, or the best ones up to {@link #limit}, at once; {@link #maxGroups} limits that.
 *
 * <p>Sums, averages and variances are of integers, {@code numeric}, {@code real} and {@code double precision}, of
 * PostgreSQL's result type and, for exact types, of its scale. Those of {@code real} and {@code double precision} depend
 * on the order of the rows, as they do in one database; they agree with it but for rounding.
 */
public final class Aggregation {

    /** Groups held at once unless {@link #maxGroups(int)} says otherwise. */
    public static final int DEFAULT_MAX_GROUPS = 100_000;

    /** Distinct values held at once unless {@link #maxDistinct(int)} says otherwise. */
    public static final int DEFAULT_MAX_DISTINCT = 1_000_000;

    /** Columns and aggregates of one result; far below what one row of PostgreSQL can have. */
    private static final int MAX_COLUMNS = 200;

    /** PostgreSQL's grouping() takes up to 31, and each is one more pass over the rows. */
    static final int MAX_DISTINCT_COLUMNS = 16;

    /** The server cuts longer names off. */
    private static final int MAX_NAME_BYTES = 63;

    private final List<String> groups;
    private final List<Aggregate> aggregates;
    private final List<SortKey> order;
    private final @Nullable Predicate<AggregateRow> having;
    private final Limits limits;

    private Aggregation(
            List<String> groups,
            List<Aggregate> aggregates,
            List<SortKey> order,
            @Nullable Predicate<AggregateRow> having,
            Limits limits) {
        this.groups = groups;
        this.aggregates = aggregates;
        this.order = order;
        this.having = having;
        this.limits = limits;
    }

    /** Numbers that bound the result and the memory for it. A limit of {@link Long#MAX_VALUE} is none. */
    record Limits(long rows, int groups, int distinct) {

        Limits {
            requirePositive("limit", rows);
            requirePositive("maxGroups", groups);
            requirePositive("maxDistinct", distinct);
        }

        private static void requirePositive(String name, long value) {
            if (value < 1) {
                throw new IllegalArgumentException(name + " must be at least 1, was " + value);
            }
        }
    }

    /**
     * Returns an aggregation with one result for each combination of values of these columns. As in SQL, nulls are one
     * group. Without aggregates it gives the distinct combinations.
     *
     * @throws IllegalArgumentException if no column is given, or one twice
     */
    public static Aggregation groupBy(String... columns) {
        if (columns.length == 0) {
            throw new IllegalArgumentException(
                    "groupBy needs at least one column; use Aggregation.ofAll for one result");
        }
        Aggregation none = ofAll();
        Aggregation grouped = new Aggregation(List.of(columns), none.aggregates, none.order, none.having, none.limits);
        grouped.requireNames();
        return grouped;
    }

    /** Returns an aggregation with exactly one result, also where there are no rows. */
    public static Aggregation ofAll() {
        return new Aggregation(
                List.of(),
                List.of(),
                List.of(),
                null,
                new Limits(Long.MAX_VALUE, DEFAULT_MAX_GROUPS, DEFAULT_MAX_DISTINCT));
    }

    /** Adds {@code count(*)} as result {@code name}, a {@link Long}. */
    public Aggregation count(String name) {
        return with(Function.COUNT, null, name);
    }

    /** Adds the number of values of a column that are not null, a {@link Long}. */
    public Aggregation count(String column, String name) {
        return with(Function.COUNT, Objects.requireNonNull(column), name);
    }

    /**
     * Adds the number of distinct values of a column that are not null, a {@link Long}. Shards send their distinct values,
     * and those of one group are held at once: {@link #maxDistinct} limits them.
     */
    public Aggregation countDistinct(String column, String name) {
        return with(Function.COUNT_DISTINCT, Objects.requireNonNull(column), name);
    }

    /**
     * Adds the sum of a column: a {@link Long} for {@code smallint} and {@code integer}, a
     * {@link java.math.BigDecimal} for {@code bigint} and {@code numeric}, a {@link Float} or {@link Double} for
     * {@code real} and {@code double precision}. Null if there is no value.
     */
    public Aggregation sum(String column, String name) {
        return with(Function.SUM, Objects.requireNonNull(column), name);
    }

    /** Adds the least value of a column, in the type of the column. Texts need the collation "C". */
    public Aggregation min(String column, String name) {
        return with(Function.MIN, Objects.requireNonNull(column), name);
    }

    /** Adds the greatest value of a column, in the type of the column. Texts need the collation "C". */
    public Aggregation max(String column, String name) {
        return with(Function.MAX, Objects.requireNonNull(column), name);
    }

    /**
     * Adds the mean of a column: a {@link java.math.BigDecimal}, for {@code real} and {@code double precision} a
     * {@link Double}. Null if there is no value.
     */
    public Aggregation avg(String column, String name) {
        return with(Function.AVG, Objects.requireNonNull(column), name);
    }

    /** Adds the population variance of a column, of the type that {@link #avg} has. */
    public Aggregation varPop(String column, String name) {
        return with(Function.VAR_POP, Objects.requireNonNull(column), name);
    }

    /** Adds the sample variance of a column, of the type that {@link #avg} has; null below two values. */
    public Aggregation varSamp(String column, String name) {
        return with(Function.VAR_SAMP, Objects.requireNonNull(column), name);
    }

    /** Adds the population standard deviation of a column, of the type that {@link #avg} has. */
    public Aggregation stddevPop(String column, String name) {
        return with(Function.STDDEV_POP, Objects.requireNonNull(column), name);
    }

    /** Adds the sample standard deviation of a column, of the type that {@link #avg} has; null below two values. */
    public Aggregation stddevSamp(String column, String name) {
        return with(Function.STDDEV_SAMP, Objects.requireNonNull(column), name);
    }

    private Aggregation with(Function function, @Nullable String column, String name) {
        List<Aggregate> more = new ArrayList<>(aggregates);
        more.add(new Aggregate(function, column, name));
        Aggregation changed = new Aggregation(groups, List.copyOf(more), order, having, limits);
        changed.requireNames();
        if (column != null) {
            Sql.identifier(column);
        }
        return changed;
    }

    /**
     * Keeps the groups for which this holds. It is asked on an event loop and must not block. A second call replaces the
     * first.
     */
    public Aggregation having(Predicate<? super AggregateRow> condition) {
        return new Aggregation(groups, aggregates, order, condition::test, limits);
    }

    /**
     * Orders the groups by group columns or results, and where these are equal by the group columns. Texts are compared by
     * their bytes.
     *
     * @throws IllegalArgumentException if a key names neither a group column nor an aggregate added before, or a column
     *     is named twice
     */
    public Aggregation orderBy(SortKey... keys) {
        Set<String> seen = new HashSet<>();
        for (SortKey key : keys) {
            if (!names().contains(key.column())) {
                throw new IllegalArgumentException("order by " + key.column() + ", which is none of " + names()
                        + "; add it as a group column or an aggregate first");
            }
            if (key.collation() == Collation.C && isNumber(key.column())) {
                throw new IllegalArgumentException(
                        "order by " + key.column() + ": a number has no collation; take out collateC()");
            }
            if (!seen.add(key.column())) {
                throw new IllegalArgumentException("order by names column " + key.column() + " twice");
            }
        }
        return new Aggregation(groups, aggregates, List.of(keys), having, limits);
    }

    private boolean isNumber(String name) {
        return aggregates.stream()
                .anyMatch(aggregate -> aggregate.name().equals(name)
                        && aggregate.function() != Function.MIN
                        && aggregate.function() != Function.MAX);
    }

    /**
     * Ends after this many groups, counted after {@link #having}.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    public Aggregation limit(long groups) {
        return with(new Limits(groups, limits.groups(), limits.distinct()));
    }

    /**
     * Limits the groups that are held in memory when they are ordered by results; {@value #DEFAULT_MAX_GROUPS} unless set.
     * One more fails with {@link AggregateLimitException}.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    public Aggregation maxGroups(int groups) {
        return with(new Limits(limits.rows(), groups, limits.distinct()));
    }

    /**
     * Limits the distinct values that are held in memory for {@link #countDistinct}, those of one group over all its
     * columns; {@value #DEFAULT_MAX_DISTINCT} unless set. One more fails with {@link AggregateLimitException}.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    public Aggregation maxDistinct(int values) {
        return with(new Limits(limits.rows(), limits.groups(), values));
    }

    private Aggregation with(Limits changed) {
        return new Aggregation(groups, aggregates, order, having, changed);
    }

    private void requireNames() {
        Set<String> seen = new HashSet<>();
        Set<String> ignoringCase = new HashSet<>();
        for (String name : names()) {
            Sql.identifier(name);
            if (!seen.add(name)) {
                throw new IllegalArgumentException("result column " + name + " is there twice; name each differently");
            }
            if (!ignoringCase.add(name.toLowerCase(Locale.ROOT))) {
                throw new IllegalArgumentException("result columns " + names()
                        + " differ only in case; rows do not tell " + name + " from another");
            }
            if (name.getBytes(UTF_8).length > MAX_NAME_BYTES) {
                throw new IllegalArgumentException("a result column has at most " + MAX_NAME_BYTES
                        + " bytes, PostgreSQL's limit for names, was " + name);
            }
        }
        if (seen.size() > MAX_COLUMNS) {
            throw new IllegalArgumentException(
                    "an aggregation has at most " + MAX_COLUMNS + " columns, was " + seen.size());
        }
        if (distinctColumns().size() > MAX_DISTINCT_COLUMNS) {
            throw new IllegalArgumentException("distinct values are counted of at most " + MAX_DISTINCT_COLUMNS
                    + " columns, was " + distinctColumns());
        }
    }

    /** Returns the columns of the result: those of the groups, then the aggregates, in the order given. */
    public List<String> names() {
        List<String> names = new ArrayList<>(groups);
        aggregates.forEach(aggregate -> names.add(aggregate.name()));
        return List.copyOf(names);
    }

    List<String> groups() {
        return groups;
    }

    List<Aggregate> aggregates() {
        return aggregates;
    }

    /** Returns the columns of which distinct values are counted, each once. */
    List<String> distinctColumns() {
        return aggregates.stream()
                .filter(aggregate -> aggregate.function() == Function.COUNT_DISTINCT)
                .map(Aggregate::requiredColumn)
                .distinct()
                .toList();
    }

    List<SortKey> order() {
        return order;
    }

    @Nullable Predicate<AggregateRow> having() {
        return having;
    }

    Limits limits() {
        return limits;
    }

    @Override
    public String toString() {
        List<String> results = new ArrayList<>();
        aggregates.forEach(aggregate -> results.add(aggregate + " as " + aggregate.name()));
        return "Aggregation" + results + (groups.isEmpty() ? "" : " by " + groups);
    }
}
