package io.reactiverouter.demo.trading;

import io.r2dbc.spi.Readable;
import java.math.BigDecimal;

/** How much of a symbol was traded. */
record Volume(String symbol, long trades, BigDecimal quantity, BigDecimal amount) {

    static Volume from(Readable row) {
        return new Volume(
                OrderView.required(row, 0, String.class),
                OrderView.required(row, 1, Long.class),
                OrderView.required(row, 2, BigDecimal.class),
                OrderView.required(row, 3, BigDecimal.class));
    }

    /** Adds what another shard has traded of the same symbol. */
    Volume plus(Volume other) {
        return new Volume(symbol, trades + other.trades, quantity.add(other.quantity), amount.add(other.amount));
    }
}
