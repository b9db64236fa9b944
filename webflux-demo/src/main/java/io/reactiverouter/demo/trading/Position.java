package io.reactiverouter.demo.trading;

import io.r2dbc.spi.Readable;
import java.math.BigDecimal;

/**
 * What a user holds of a symbol.
 *
 * @param quantity pieces, negative if more were sold than bought
 * @param cost money paid less money received
 */
record Position(String symbol, long quantity, BigDecimal cost) {

    static Position from(Readable row) {
        return new Position(
                OrderView.required(row, 0, String.class),
                OrderView.required(row, 1, Long.class),
                OrderView.required(row, 2, BigDecimal.class));
    }
}
