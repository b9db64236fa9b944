package io.reactiverouter.demo.trading;

import io.reactiverouter.aggregate.AggregateRow;
import java.math.BigDecimal;
import java.util.Objects;

/** How much of a symbol was traded. */
record Volume(String symbol, long trades, BigDecimal quantity, BigDecimal amount) {

    static Volume from(AggregateRow row) {
        return new Volume(
                required(row, "symbol", String.class),
                required(row, "trades", Long.class),
                required(row, "quantity", BigDecimal.class),
                required(row, "amount", BigDecimal.class));
    }

    private static <T> T required(AggregateRow row, String column, Class<T> type) {
        return Objects.requireNonNull(row.get(column, type), () -> column + " is null");
    }
}
