package io.reactiverouter.demo.console;

import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.ShardRows;
import io.reactiverouter.demo.console.ShardCard.Judgement;
import io.reactiverouter.demo.console.ShardCard.NodeCard;
import io.reactiverouter.health.ShardStatus;
import io.reactiverouter.routing.Placement;
import java.time.Clock;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/** Puts together what is known of the cluster. {@link #take} does no I/O. Thread-safe. */
@Component
@ConditionalOnConsole
class Snapshots {

    private static final Logger LOG = LoggerFactory.getLogger(Snapshots.class);

    private final ShardCluster cluster;
    private final ShardRouter router;
    private final CallRates rates;
    private final LatestCalls latest;
    private final Clock clock = Clock.systemUTC();
    private final Map<String, RateWindow> windows = new HashMap<>();
    private final Map<String, Long> rows = new ConcurrentHashMap<>();

    Snapshots(ShardCluster cluster, ShardRouter router, CallRates rates, LatestCalls latest) {
        this.cluster = cluster;
        this.router = router;
        this.rates = rates;
        this.latest = latest;
    }

    /** Has the nodes be watched, if they are not yet. */
    void watch() {
        cluster.watch();
    }

    synchronized Snapshot take() {
        Placement placement = router.placement();
        return new Snapshot(
                clock.instant(),
                placement.keyspace().name(),
                placement.epoch(),
                cluster.status().shards().stream().map(this::card).toList(),
                latest.calls(),
                latest.failures());
    }

    private ShardCard card(ShardStatus status) {
        String shard = status.shard().value();
        CallRates.Of done = rates.shard(shard);
        Judgement judgement = Judgement.of(status);
        return new ShardCard(
                shard,
                judgement.health(),
                judgement.reason(),
                windows.computeIfAbsent(shard, name -> new RateWindow()).add(System.nanoTime(), done.attempts()),
                done.medianMillis(),
                done.p99Millis(),
                rows.get(shard),
                status.nodes().stream().map(node -> NodeCard.of(status, node)).toList());
    }

    /** Asks the planners for their rows; a shard that does not answer keeps what it had. Never fails. */
    Mono<Void> sampleRows() {
        return router.statistics()
                .doOnNext(statistics -> statistics.shards().forEach(this::sampled))
                .then()
                .contextWrite(LatestCalls::unseen)
                .onErrorResume(error -> {
                    LOG.debug("rows could not be sampled", error);
                    return Mono.empty();
                });
    }

    /** Without an analysis of the tables a planner says 0, which is no news. */
    private void sampled(ShardRows found) {
        if (found.rows() > 0) {
            rows.put(found.shard().value(), found.rows());
        }
    }
}
