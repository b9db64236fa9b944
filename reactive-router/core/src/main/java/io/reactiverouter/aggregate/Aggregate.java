package io.reactiverouter.aggregate;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One aggregate of an {@link Aggregation}.
 *
 * @param column what it reads, null for {@code count(*)}
 * @param name its column in the result
 */
record Aggregate(Function function, @Nullable String column, String name) {

    enum Function {
        COUNT("count"),
        COUNT_DISTINCT("count"),
        SUM("sum"),
        MIN("min"),
        MAX("max"),
        AVG("avg"),
        VAR_POP("var_pop"),
        VAR_SAMP("var_samp"),
        STDDEV_POP("stddev_pop"),
        STDDEV_SAMP("stddev_samp");

        private final String sql;

        Function(String sql) {
            this.sql = sql;
        }
    }

    /** The aggregate as PostgreSQL writes it, over columns of {@code alias}. */
    String sql(String alias) {
        if (column == null) {
            return function.sql + "(*)";
        }
        String distinct = function == Function.COUNT_DISTINCT ? "distinct " : "";
        return function.sql + "(" + distinct + alias + "." + Sql.identifier(column) + ")";
    }

    /** Returns the column of an aggregate that has one. */
    String requiredColumn() {
        return Objects.requireNonNull(column);
    }

    @Override
    public String toString() {
        String distinct = function == Function.COUNT_DISTINCT ? "distinct " : "";
        return function.sql + "(" + distinct + (column == null ? "*" : column) + ")";
    }
}
