package io.reactiverouter.demo.trading;

import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.validation.Valid;
import jakarta.validation.constraints.DecimalMax;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.Positive;
import jakarta.validation.constraints.PositiveOrZero;
import java.math.BigDecimal;
import java.net.URI;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Orders and positions. */
@RestController
@RequestMapping("/api")
@Tag(name = "trading")
class OrderController {

    private final TradingService trading;

    OrderController(TradingService trading) {
        this.trading = trading;
    }

    @PostMapping("/orders")
    @Operation(summary = "Place an order: one transaction on the user's shard")
    Mono<ResponseEntity<OrderView>> place(@Valid @RequestBody OrderRequest request) {
        return trading.place(request)
                .map(order -> ResponseEntity.created(URI.create("/api/users/" + order.userId() + "/orders"))
                        .body(order));
    }

    @GetMapping("/users/{id}/orders")
    @Operation(summary = "The latest orders of a user, from the user's shard")
    Flux<OrderView> orders(
            @PathVariable @Positive long id, @RequestParam(defaultValue = "50") @Positive @Max(500) int limit) {
        return trading.ordersOf(id, limit);
    }

    @GetMapping("/users/{id}/positions")
    @Operation(summary = "What a user holds, from the user's shard")
    Flux<Position> positions(@PathVariable @Positive long id) {
        return trading.positionsOf(id);
    }

    @GetMapping(
            path = "/orders/stream",
            produces = {MediaType.APPLICATION_NDJSON_VALUE, MediaType.TEXT_EVENT_STREAM_VALUE})
    @Operation(summary = "The orders of all shards as they come; NDJSON or Server-Sent Events by the Accept header")
    Flux<OrderView> stream(
            @RequestParam(required = false)
                    @Nullable @Pattern(regexp = "[A-Z]{1,8}", message = "must be 1 to 8 capital letters") String symbol,
            @RequestParam(required = false) @Nullable Side side,
            @RequestParam(required = false) @Nullable OrderStatus status,
            @RequestParam(required = false) @Nullable @PositiveOrZero @DecimalMax("99999999999999") BigDecimal minAmount) {
        return trading.stream(new OrderFilter(symbol, side, status, minAmount));
    }
}
