package io.reactiverouter.strategy;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * "The row belongs to this shard" as an SQL condition over the key column, or the reason why there is none. The condition
 * uses only what every PostgreSQL 14 and later has built in. It is true for rows of the shard, and false or null for
 * others, rows without a key among them.
 */
public final class SqlPredicate {

    private final @Nullable String sql;
    private final @Nullable String reason;

    private SqlPredicate(@Nullable String sql, @Nullable String reason) {
        this.sql = sql;
        this.reason = reason;
    }

    /** Returns a condition that can stand anywhere. */
    public static SqlPredicate of(String sql) {
        return new SqlPredicate(Objects.requireNonNull(sql), null);
    }

    /** Returns a condition that cannot stand in the row filter of a publication, for this reason. */
    public static SqlPredicate notInRowFilters(String sql, String reason) {
        return new SqlPredicate(Objects.requireNonNull(sql), Objects.requireNonNull(reason));
    }

    /** Says that there is no condition, for this reason. */
    public static SqlPredicate unavailable(String reason) {
        return new SqlPredicate(null, Objects.requireNonNull(reason));
    }

    /** Says whether there is a condition for {@code WHERE} and {@code WHEN}. */
    public boolean isAvailable() {
        return sql != null;
    }

    /** Says whether there is a condition for row filters. */
    public boolean isAvailableInRowFilters() {
        return reason == null;
    }

    /** Returns why there is no condition, or none for row filters; null where nothing is missing. */
    public @Nullable String reason() {
        return reason;
    }

    /**
     * Returns the condition for a {@code WHERE}, or for the {@code WHEN} of a trigger if the column is qualified with
     * {@code new} or {@code old}.
     *
     * @throws UnsupportedOperationException if there is none; the message is the reason
     */
    public String where() {
        if (sql == null) {
            throw new UnsupportedOperationException(reason);
        }
        return sql;
    }

    /**
     * Returns the condition for {@code create publication ... for table ... where (...)}. A server can still refuse it over a
     * column with a collation of the user's making.
     *
     * @throws UnsupportedOperationException if there is none; the message is the reason
     */
    public String rowFilter() {
        if (sql == null || reason != null) {
            throw new UnsupportedOperationException(reason);
        }
        return sql;
    }

    /** Returns {@code (first) or (second)}, with what the two are lacking. */
    static SqlPredicate either(SqlPredicate first, SqlPredicate second) {
        return join(first, "or", second);
    }

    /** Returns {@code (first) and (second)}, with what the two are lacking. */
    static SqlPredicate both(SqlPredicate first, SqlPredicate second) {
        return join(first, "and", second);
    }

    private static SqlPredicate join(SqlPredicate first, String operator, SqlPredicate second) {
        String reason = first.reason != null ? first.reason : second.reason;
        String sql = first.sql == null || second.sql == null
                ? null
                : "((" + first.sql + ") " + operator + " (" + second.sql + "))";
        return new SqlPredicate(sql, reason);
    }

    @Override
    public String toString() {
        return sql == null ? "none: " + reason : sql;
    }
}
