package io.reactiverouter.demo.trading;

import io.reactiverouter.Query;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which orders to stream; what is not given does not restrict.
 *
 * @param minAmount least value of quantity times price
 */
record OrderFilter(
        @Nullable String symbol,
        @Nullable Side side,
        @Nullable OrderStatus status,
        @Nullable BigDecimal minAmount) {

    Query toQuery() {
        return select(OrderView.COLUMNS);
    }

    /** Returns the query with the column {@code amount} after those of an order. */
    Query toQueryWithAmount() {
        return select(OrderView.COLUMNS + ", quantity * price as amount");
    }

    /**
     * Says only what restricts, since every open cursor keeps its SQL, parsed. The amount is always there: of a query without
     * any parameter the driver (r2dbc-postgresql 1.1.1) holds 256 rows more, whatever the size of a portion.
     */
    private Query select(String columns) {
        StringBuilder sql = new StringBuilder("select " + columns + " from orders where quantity * price >= $1");
        List<Object> values = new ArrayList<>();
        values.add(minAmount == null ? BigDecimal.ZERO : minAmount);
        restrict("symbol", symbol, sql, values);
        restrict("side", side == null ? null : side.name(), sql, values);
        restrict("status", status == null ? null : status.name(), sql, values);
        return Query.of(sql.toString(), values.toArray());
    }

    private static void restrict(String column, @Nullable String value, StringBuilder sql, List<Object> values) {
        if (value != null) {
            values.add(value);
            sql.append(" and ").append(column).append(" = $").append(values.size());
        }
    }
}
