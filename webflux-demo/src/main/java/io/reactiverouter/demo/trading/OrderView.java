package io.reactiverouter.demo.trading;

import io.r2dbc.spi.Readable;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.Objects;

/**
 * An order as clients see it. The id is text, because JavaScript cannot hold all 64-bit numbers.
 *
 * @param shard the shard that holds the order
 */
record OrderView(
        String orderId,
        long userId,
        String symbol,
        Side side,
        OrderType type,
        long quantity,
        BigDecimal price,
        OrderStatus status,
        Instant createdAt,
        String shard)
        implements StreamElement {

    static final String COLUMNS = "order_id, user_id, symbol, side, type, quantity, price, status, created_at";

    /** Reads a row of {@link #COLUMNS}. */
    static OrderView from(Readable row, String shard) {
        return new OrderView(
                Long.toString(required(row, 0, Long.class)),
                required(row, 1, Long.class),
                required(row, 2, String.class),
                Side.valueOf(required(row, 3, String.class)),
                OrderType.valueOf(required(row, 4, String.class)),
                required(row, 5, Long.class),
                required(row, 6, BigDecimal.class),
                OrderStatus.valueOf(required(row, 7, String.class)),
                required(row, 8, Instant.class),
                shard);
    }

    @Override
    public String event() {
        return "order";
    }

    /** Returns the same order on this shard. */
    OrderView on(String name) {
        return new OrderView(orderId, userId, symbol, side, type, quantity, price, status, createdAt, name);
    }

    /** Reads a column that is never null. */
    static <T> T required(Readable row, int index, Class<T> type) {
        return Objects.requireNonNull(row.get(index, type), () -> "column " + index + " is null");
    }
}
