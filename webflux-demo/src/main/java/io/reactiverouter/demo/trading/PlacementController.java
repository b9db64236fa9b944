package io.reactiverouter.demo.trading;

import io.reactiverouter.audit.TableAudit;
import io.reactiverouter.strategy.Distribution;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Positive;
import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Where rows are, and where they would be. */
@RestController
@RequestMapping("/api")
@Tag(name = "placement")
class PlacementController {

    private final PlacementService placement;

    PlacementController(PlacementService placement) {
        this.placement = placement;
    }

    @GetMapping("/distribution")
    @Operation(summary = "How a strategy spreads the users that are in the database")
    Mono<Distribution> distribution(
            @RequestParam(required = false) @Nullable @Parameter(description = "the current one unless given")
                    StrategyName strategy,
            @RequestParam(required = false)
                    @Nullable @Positive @Max(64) @Parameter(description = "shards of equal weight; those that there are unless given")
                    Integer shards,
            @RequestParam(defaultValue = "10000")
                    @Positive @Max(100_000) @Parameter(description = "users at most, chosen by a hash of their ids")
                    int sample) {
        return placement.distribution(strategy, shards, sample);
    }

    @GetMapping("/audit")
    @Operation(summary = "The rows of each table on each shard, and those that belong elsewhere: there must be none")
    Flux<TableAudit> audit() {
        return placement.audit();
    }
}
