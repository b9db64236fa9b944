package io.reactiverouter.demo.trading;

import io.reactiverouter.Query;
import java.math.BigDecimal;
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

    private Query select(String columns) {
        return Query.of(
                "select " + columns + " from orders"
                        + " where ($1::text is null or symbol = $1) and ($2::text is null or side = $2)"
                        + " and ($3::text is null or status = $3)"
                        + " and ($4::numeric is null or quantity * price >= $4)",
                symbol,
                side == null ? null : side.name(),
                status == null ? null : status.name(),
                minAmount);
    }
}
