package io.reactiverouter.order;

import io.r2dbc.spi.ColumnMetadata;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.Row;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/**
 * How one server sorts the rows of one query: the types and enum labels behind its sort keys. Rows that arrive sorted by
 * {@link #orderBy} are in the order of {@link #compare}, and rows that PostgreSQL holds for equal compare as 0.
 *
 * <p>Plans are equal when they give the same order and the same {@link #orderBy}, so rows of several servers can be merged
 * when the plans of all of them are equal; one of these plans then reads and compares the rows of all. Types that sort
 * alike, as {@code integer} and {@code bigint} do, make equal plans; enum types do if name, schema and labels are the same.
 *
 * <p>A plan describes the schema of the moment. Rows in which a column has another type since then, and labels that an enum
 * has got since, are errors of {@link #read}.
 *
 * <p>The session that runs the query must have datestyle ISO and intervalstyle postgres; rows of another one are errors.
 * It must have extra_float_digits of at least 1 and client_encoding UTF8, as the session has that describes the query,
 * where this is checked. All four are PostgreSQL's defaults or the driver's.
 *
 * <p>Immutable and thread-safe.
 */
public final class SortPlan {

    private final List<SortColumn> columns;

    /** Where the keys were in the row before: rows of one query have their columns in one place, on every shard. */
    private volatile int[] lastIndexes;

    SortPlan(List<SortColumn> columns) {
        this.columns = List.copyOf(columns);
        this.lastIndexes = new int[columns.size()];
    }

    /**
     * Asks the server what the columns {@code keys} of a query are, in two round trips. The query is planned, no row of it
     * is computed, and its locks are those of planning it.
     *
     * <p>Ends with {@link SortOrderException} if there is no key or a column is named twice; if the query does not have a
     * column or has it more than once; if a column is of a type whose order is not reproduced here, as arrays and JSON; if
     * it is text that does not sort by code point, because its collation does not or the server's encoding is not UTF8; if
     * the number of parameters is wrong, or one has no form that the driver can send; if a setting of the session changes
     * values on their way. Errors in the query are those of the driver.
     *
     * @param connection a connection of the router, on which nothing else runs meanwhile
     * @param sql a query that can stand in parentheses, without a semicolon at its end
     * @param parameters the values of $1 and so on, bound as the query itself will bind them
     * @param keys the most significant first
     */
    public static Mono<SortPlan> describe(
            Connection connection, String sql, @Nullable Object[] parameters, List<SortKey> keys) {
        return Mono.defer(() -> new SortDescription(connection, sql, parameters, keys).describe());
    }

    /** Returns the keys, the most significant first. */
    public List<SortKey> keys() {
        return columns.stream().map(SortColumn::key).toList();
    }

    /**
     * Returns the clause that makes a server sort the rows, from {@code order by} on.
     *
     * @param alias name of the query in {@code from}, as SQL
     */
    public String orderBy(String alias) {
        return columns.stream().map(column -> column.orderBy(alias)).collect(Collectors.joining(", ", "order by ", ""));
    }

    /**
     * Returns what to compare for a key in a condition: the column, with {@code collate "C"} where the key asks for it.
     *
     * @param key index of the key
     * @param alias name of the query in {@code from}, as SQL
     */
    public String expression(int key, String alias) {
        return columns.get(key).expression(alias);
    }

    /**
     * Returns the type, in SQL, that takes the values of a key: {@code $1::text::} and this name give a value of
     * {@link #encode} that compares with the column as the value did that was encoded. Its schema is named.
     *
     * @param key index of the key
     */
    public String typeName(int key) {
        return columns.get(key).typeName();
    }

    /**
     * Returns the values of the keys in a row, which must come from a connection of the router and have the columns of the
     * query by name.
     *
     * @throws SortOrderException if the row has not the columns that were described, or a value is in a form that a setting
     *     of the session has changed
     */
    public SortValues read(Row row) {
        int[] indexes = indexes(row.getMetadata().getColumnMetadatas());
        @Nullable KeyValue[] values = new @Nullable KeyValue[indexes.length];
        for (int i = 0; i < indexes.length; i++) {
            SortColumn column = columns.get(i);
            try {
                values[i] = column.accept(row.get(indexes[i], KeyValue.class));
            } catch (SortOrderException e) {
                throw in(column, e);
            }
        }
        return new SortValues(values);
    }

    /** Names are compared for each row, which costs less than to remember whose metadata has been seen. */
    private int[] indexes(List<? extends ColumnMetadata> metadata) {
        int[] last = lastIndexes;
        for (int i = 0; i < last.length; i++) {
            if (last[i] >= metadata.size()
                    || !metadata.get(last[i])
                            .getName()
                            .equals(columns.get(i).key().column())) {
                int[] found = find(metadata);
                lastIndexes = found;
                return found;
            }
        }
        return last;
    }

    private int[] find(List<? extends ColumnMetadata> metadata) {
        List<String> names = metadata.stream().map(ColumnMetadata::getName).toList();
        return columns.stream()
                .mapToInt(column -> {
                    int index = names.indexOf(column.key().column());
                    if (index < 0) {
                        throw SortDescription.noColumn(column.key(), names);
                    }
                    return index;
                })
                .toArray();
    }

    private static SortOrderException in(SortColumn column, SortOrderException e) {
        return new SortOrderException("sort key \"" + column.key().column() + "\": " + e.getMessage());
    }

    /**
     * Returns a negative number if the row of {@code left} comes first, a positive one if that of {@code right} does, and 0
     * if the server holds the keys for equal. Both must be of this plan or one equal to it.
     */
    public int compare(SortValues left, SortValues right) {
        for (int i = 0; i < columns.size(); i++) {
            int order = columns.get(i).compare(left.value(i), right.value(i));
            if (order != 0) {
                return order;
            }
        }
        return 0;
    }

    /** Returns {@link #compare} as a comparator. */
    public Comparator<SortValues> comparator() {
        return this::compare;
    }

    /**
     * Returns the text of each value, null for a value that is null, in a form that no setting of a session changes the
     * meaning of. {@code $1::text::} with {@link #typeName} reads it back on the server, {@link #decode} here.
     */
    public @Nullable String[] encode(SortValues values) {
        @Nullable String[] texts = new @Nullable String[columns.size()];
        for (int i = 0; i < texts.length; i++) {
            texts[i] = columns.get(i).encode(values.value(i));
        }
        return texts;
    }

    /**
     * Returns the values that {@link #encode} gave the texts of.
     *
     * @throws SortOrderException if the texts are not those of values of this plan
     */
    public SortValues decode(@Nullable String[] texts) {
        if (texts.length != columns.size()) {
            throw new SortOrderException(
                    "the order has " + columns.size() + " sort keys, and there are " + texts.length + " values");
        }
        @Nullable KeyValue[] values = new @Nullable KeyValue[texts.length];
        for (int i = 0; i < texts.length; i++) {
            SortColumn column = columns.get(i);
            try {
                values[i] = column.decode(texts[i]);
            } catch (SortOrderException e) {
                throw in(column, e);
            }
        }
        return new SortValues(values);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof SortPlan plan && columns.equals(plan.columns);
    }

    @Override
    public int hashCode() {
        return Objects.hash(columns);
    }

    /** Shows keys and types, so that one can see how two plans differ. */
    @Override
    public String toString() {
        return "SortPlan" + columns;
    }
}
