package io.reactiverouter.demo.console;

import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.tags.Tag;
import org.springframework.http.MediaType;
import org.springframework.http.codec.ServerSentEvent;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Flux;

/** What the console shows beside what the application offers anyway. Reads only. */
@RestController
@RequestMapping("/api/console")
@Tag(name = "console")
@ConditionalOnConsole
class ConsoleController {

    private final LiveStatus live;
    private final KeyExplorer keys;

    ConsoleController(LiveStatus live, KeyExplorer keys) {
        this.live = live;
        this.keys = keys;
    }

    @GetMapping(path = "/live", produces = MediaType.TEXT_EVENT_STREAM_VALUE)
    @Operation(summary = "How the shards are, again and again, and the latest calls; without an end")
    Flux<ServerSentEvent<Snapshot>> live() {
        return live.events();
    }

    @GetMapping("/placement")
    @Operation(summary = "Which shard has which slots")
    PlacementView placement() {
        return keys.placement();
    }

    @GetMapping("/locate")
    @Operation(summary = "Where a key lives, and why")
    KeyView locate(@RequestParam @Parameter(description = "a user's id") String key) {
        return keys.locate(key);
    }
}
