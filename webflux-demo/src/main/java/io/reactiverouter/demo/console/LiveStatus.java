package io.reactiverouter.demo.console;

import io.reactiverouter.demo.IdleLimit;
import io.reactiverouter.demo.Permits;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.http.codec.ServerSentEvent;
import org.springframework.stereotype.Component;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/**
 * Tells pages how the cluster is. One ticker serves all of them and runs while there is one; a page that is slow misses
 * snapshots, and gets the latest when it goes on. The number of pages is limited. Streams end with the application.
 */
@Component
@ConditionalOnConsole
class LiveStatus {

    private static final Logger LOG = LoggerFactory.getLogger(LiveStatus.class);

    /** When a page whose connection broke comes again. */
    private static final Duration RETRY = Duration.ofSeconds(2);

    private final Snapshots snapshots;
    private final ConsoleProperties settings;
    private final Permits viewers;
    private final Flux<Snapshot> latest;
    private final Sinks.Empty<Void> closed = Sinks.empty();

    LiveStatus(Snapshots snapshots, ConsoleProperties settings) {
        this.snapshots = snapshots;
        this.settings = settings;
        this.viewers = new Permits(
                settings.maxViewers(),
                "the console is open " + settings.maxViewers()
                        + " times, the most that demo.console.max-viewers allows; close another one, or try again later");
        this.latest = Flux.using(this::sampling, running -> ticks(), Disposable::dispose)
                .replay(1)
                .refCount(1);
    }

    /** Returns snapshots as they are taken, and heartbeats. Fails with 503 if too many look already, or when nobody reads. */
    Flux<ServerSentEvent<Snapshot>> events() {
        Flux<ServerSentEvent<Snapshot>> heartbeats = Flux.interval(settings.heartbeat())
                .onBackpressureDrop()
                .map(beat ->
                        ServerSentEvent.<Snapshot>builder().comment("heartbeat").build());
        Flux<ServerSentEvent<Snapshot>> told = Flux.merge(latest.map(LiveStatus::event), heartbeats)
                .onBackpressureLatest()
                .takeUntilOther(closed.asMono());
        return viewers.during(IdleLimit.of(settings.idleTimeout(), told));
    }

    private static ServerSentEvent<Snapshot> event(Snapshot snapshot) {
        return ServerSentEvent.builder(snapshot).event("snapshot").retry(RETRY).build();
    }

    private Flux<Snapshot> ticks() {
        snapshots.watch();
        return Flux.interval(Duration.ZERO, settings.interval())
                .onBackpressureDrop()
                .concatMap(tick -> Mono.fromSupplier(snapshots::take).onErrorResume(LiveStatus::skipped), 1);
    }

    private static Mono<Snapshot> skipped(Throwable error) {
        LOG.warn("the console misses a moment", error);
        return Mono.empty();
    }

    private Disposable sampling() {
        return Flux.interval(Duration.ZERO, settings.rowSampling())
                .onBackpressureDrop()
                .concatMap(tick -> snapshots.sampleRows(), 1)
                .subscribe(none -> {}, error -> LOG.error("rows are not sampled any more", error));
    }

    /** Open streams would keep the server from stopping until its grace period is over. */
    @EventListener(ContextClosedEvent.class)
    void close() {
        closed.tryEmitEmpty();
    }
}
