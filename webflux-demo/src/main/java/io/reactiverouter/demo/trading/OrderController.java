package io.reactiverouter.demo.trading;

import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.validation.Valid;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Positive;
import java.net.URI;
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

/** Orders and positions of one user, on the user's shard. */
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
}
