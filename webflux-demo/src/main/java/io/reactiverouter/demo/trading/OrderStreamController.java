package io.reactiverouter.demo.trading;

import io.reactiverouter.demo.trading.OrderStreams.Terms;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.validation.constraints.DecimalMax;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.Positive;
import jakarta.validation.constraints.PositiveOrZero;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.http.codec.ServerSentEvent;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Orders of all users, from all shards. */
@RestController
@RequestMapping("/api/orders")
@Tag(name = "trading over all shards")
class OrderStreamController {

    private static final String SYMBOL = "[A-Z]{1,8}";
    private static final String SYMBOL_RULE = "must be 1 to 8 capital letters";
    private static final String MAX_AMOUNT = "99999999999999";
    private static final String END =
            "The last line is {\"manifest\": ...}, or {\"error\": ..., \"manifest\": ...} if the"
                    + " stream broke; of Server-Sent Events, which are named order, the last is named manifest or error."
                    + " The answer is whole if manifest.complete is true, and cut off if there is no such end.";

    private final OrderStreams streams;
    private final TradingService trading;

    OrderStreamController(OrderStreams streams, TradingService trading) {
        this.streams = streams;
        this.trading = trading;
    }

    @GetMapping(
            path = "/stream",
            produces = {MediaType.APPLICATION_NDJSON_VALUE, MediaType.TEXT_EVENT_STREAM_VALUE})
    @Operation(
            summary =
                    "The orders of all shards as they come, and then how the stream ended; NDJSON or Server-Sent Events"
                            + " by the Accept header",
            description = END)
    ResponseEntity<Flux<?>> stream(
            @RequestParam(required = false) @Nullable @Pattern(regexp = SYMBOL, message = SYMBOL_RULE) String symbol,
            @RequestParam(required = false) @Nullable Side side,
            @RequestParam(required = false) @Nullable OrderStatus status,
            @RequestParam(required = false) @Nullable @PositiveOrZero @DecimalMax(MAX_AMOUNT) BigDecimal minAmount,
            @RequestParam(required = false)
                    @Nullable @Positive @Max(1_000_000) @Parameter(description = "orders a second at most; as many as are read unless given")
                    Integer pace,
            ServerHttpRequest request) {
        return respond(streams.any(new OrderFilter(symbol, side, status, minAmount), pace), request);
    }

    @GetMapping(
            path = "/largest",
            produces = {MediaType.APPLICATION_NDJSON_VALUE, MediaType.TEXT_EVENT_STREAM_VALUE})
    @Operation(
            summary = "The orders of all shards, largest amount first, and then how the stream ended",
            description = END)
    ResponseEntity<Flux<?>> largest(
            @RequestParam(required = false) @Nullable @Pattern(regexp = SYMBOL, message = SYMBOL_RULE) String symbol,
            @RequestParam(required = false) @Nullable Side side,
            @RequestParam(required = false) @Nullable OrderStatus status,
            @RequestParam(required = false) @Nullable @PositiveOrZero @DecimalMax(MAX_AMOUNT) BigDecimal minAmount,
            @RequestParam(required = false) @Nullable @Positive Long limit,
            @RequestParam(defaultValue = "false")
                    @Parameter(description = "whether to leave out shards that fail or are too slow")
                    boolean bestEffort,
            @RequestParam(defaultValue = "30000")
                    @Positive @Max(60_000) @Parameter(description = "how long a shard may keep the stream waiting")
                    long shardTimeoutMillis,
            ServerHttpRequest request) {
        return respond(
                streams.largestFirst(
                        new OrderFilter(symbol, side, status, minAmount),
                        new Terms(limit, bestEffort, Duration.ofMillis(shardTimeoutMillis))),
                request);
    }

    private static ResponseEntity<Flux<?>> respond(Flux<StreamElement> elements, ServerHttpRequest request) {
        List<MediaType> accepted = request.getHeaders().getAccept();
        return quality(accepted, MediaType.TEXT_EVENT_STREAM) > quality(accepted, MediaType.APPLICATION_NDJSON)
                ? ResponseEntity.ok()
                        .contentType(MediaType.TEXT_EVENT_STREAM)
                        .body(elements.map(OrderStreamController::event))
                : ResponseEntity.ok().contentType(MediaType.APPLICATION_NDJSON).body(elements);
    }

    private static double quality(List<MediaType> accepted, MediaType type) {
        return accepted.stream()
                .filter(range -> range.includes(type))
                .mapToDouble(MediaType::getQualityValue)
                .max()
                .orElse(0);
    }

    private static ServerSentEvent<StreamElement> event(StreamElement element) {
        return ServerSentEvent.builder(element).event(element.event()).build();
    }

    @GetMapping("/page")
    @Operation(summary = "The orders of all shards, latest first, page by page; every page costs the same")
    Mono<OrderPage> page(
            @RequestParam(defaultValue = "50") @Positive @Max(500) int size,
            @RequestParam(required = false)
                    @Nullable @Parameter(description = "next of the page before; the first page unless given")
                    String after) {
        return trading.page(size, after);
    }
}
