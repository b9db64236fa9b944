package io.reactiverouter.spring.autoconfigure;

import io.micrometer.core.instrument.MeterRegistry;
import io.reactiverouter.KeyspaceStatistics;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.ShardRows;
import io.reactiverouter.micrometer.KeyspaceMeters;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.context.SmartLifecycle;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Asks the planners now and then how many rows they have, for the meters. */
final class RowSampling implements SmartLifecycle {

    private static final Log LOG = LogFactory.getLog(RowSampling.class);

    /** So that the start of the application is not slowed down, and there is something to see soon. */
    private static final Duration FIRST = Duration.ofSeconds(10);

    private final Map<ShardRouter, KeyspaceMeters> meters = new LinkedHashMap<>();
    private final Duration interval;
    private volatile @Nullable Disposable sampling;

    RowSampling(ShardCluster cluster, List<ShardRouter> routers, MeterRegistry registry, Duration interval) {
        this.interval = interval;
        List<ShardId> shards = cluster.shards().stream().map(Shard::id).toList();
        for (ShardRouter router : routers) {
            KeyspaceMeters keyspace = new KeyspaceMeters(
                    router.placement().keyspace().name(),
                    shards,
                    () -> router.placement().epoch());
            keyspace.bindTo(registry);
            meters.put(router, keyspace);
        }
    }

    @Override
    public void start() {
        if (!interval.isZero() && !meters.isEmpty()) {
            Duration first = interval.compareTo(FIRST) < 0 ? interval : FIRST;
            sampling = Flux.interval(first, interval)
                    // A sample that is still under way is enough.
                    .onBackpressureDrop()
                    .concatMap(tick -> sample(), 1)
                    .subscribe(none -> {}, error -> LOG.error("rows are not sampled any more", error));
        }
    }

    Mono<Void> sample() {
        return Flux.fromIterable(meters.entrySet())
                .concatMap(entry -> entry.getKey()
                        .statistics()
                        .doOnNext(statistics -> update(entry.getValue(), statistics))
                        .onErrorResume(error -> {
                            LOG.debug("rows of " + entry.getKey() + " could not be sampled", error);
                            return Mono.empty();
                        }))
                .then();
    }

    private static void update(KeyspaceMeters meters, KeyspaceStatistics statistics) {
        meters.update(by(statistics, ShardRows::rows), by(statistics, ShardRows::keys), statistics.imbalance());
    }

    private static Map<ShardId, Long> by(KeyspaceStatistics statistics, Function<ShardRows, Long> figure) {
        return statistics.shards().stream().collect(Collectors.toMap(ShardRows::shard, figure));
    }

    @Override
    public void stop() {
        Disposable running = sampling;
        if (running != null) {
            running.dispose();
            sampling = null;
        }
    }

    @Override
    public boolean isRunning() {
        return sampling != null;
    }
}
