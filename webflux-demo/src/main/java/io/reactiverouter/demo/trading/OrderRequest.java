package io.reactiverouter.demo.trading;

import jakarta.validation.constraints.DecimalMax;
import jakarta.validation.constraints.Digits;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.Positive;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/**
 * An order to place.
 *
 * @param userId who places it
 * @param symbol what is traded, 1 to 8 capital letters
 * @param side BUY or SELL
 * @param quantity pieces, up to a million
 * @param price price of one piece, with up to four decimals
 * @param type MARKET unless given
 */
record OrderRequest(
        @NotNull @Positive Long userId,

        @NotNull @Pattern(regexp = "[A-Z]{1,8}", message = "must be 1 to 8 capital letters") String symbol,

        @NotNull Side side,
        @NotNull @Positive @Max(1_000_000) Long quantity,

        @NotNull @Positive @DecimalMax("999999999.9999") @Digits(integer = 9, fraction = 4) BigDecimal price,

        @Nullable OrderType type) {

    OrderType typeOrDefault() {
        return type == null ? OrderType.MARKET : type;
    }
}
