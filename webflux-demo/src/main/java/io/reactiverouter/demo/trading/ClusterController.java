package io.reactiverouter.demo.trading;

import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Flux;

/** Answers that take all shards. */
@RestController
@RequestMapping("/api")
@Tag(name = "cluster")
class ClusterController {

    private final TradingService trading;

    ClusterController(TradingService trading) {
        this.trading = trading;
    }

    @GetMapping("/volume")
    @Operation(summary = "What was traded of each symbol, summed up over all shards")
    Flux<Volume> volume() {
        return trading.volume();
    }

    @GetMapping("/shards")
    @Operation(summary = "What each shard holds")
    Flux<ShardSummary> shards() {
        return trading.shards();
    }
}
