package io.reactiverouter.spring.autoconfigure;

import io.reactiverouter.ShardCluster;
import io.reactiverouter.health.NodeStatus;
import io.reactiverouter.health.ShardStatus;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.util.LinkedHashMap;
import java.util.Map;
import org.springframework.boot.health.contributor.CompositeReactiveHealthContributor;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.ReactiveHealthIndicator;
import org.springframework.boot.health.contributor.Status;
import reactor.core.publisher.Mono;

/**
 * The health of one shard. A shard that takes no writes while others do is {@value #SHARD_DOWN}, which leaves the application as
 * it is: Spring Boot does not count a status that it does not know. Where no shard takes writes any more all are {@code DOWN},
 * and so is the application.
 */
final class ShardHealthIndicator implements ReactiveHealthIndicator {

    /** The name of all of them together. */
    static final String CONTRIBUTOR = "shards";

    static final String SHARD_DOWN = "SHARD_DOWN";

    private final ShardCluster cluster;
    private final ShardId shard;

    private ShardHealthIndicator(ShardCluster cluster, ShardId shard) {
        this.cluster = cluster;
        this.shard = shard;
    }

    static CompositeReactiveHealthContributor of(ShardCluster cluster) {
        Map<String, ReactiveHealthIndicator> shards = new LinkedHashMap<>();
        for (Shard shard : cluster.shards()) {
            shards.put(shard.id().toString(), new ShardHealthIndicator(cluster, shard.id()));
        }
        return CompositeReactiveHealthContributor.fromMap(shards);
    }

    @Override
    public Mono<Health> health() {
        return Mono.defer(() -> {
            cluster.watch();
            ShardStatus own = cluster.status(shard);
            // Nothing is known before the first probe, which is not worth to be called healthy.
            return own.known() ? Mono.just(health(own)) : cluster.refresh().map(all -> health(all.shard(shard)));
        });
    }

    private Health health(ShardStatus own) {
        Health.Builder health = new Health.Builder();
        if (own.writable()) {
            health.up();
        } else if (cluster.status().writable() > 0) {
            health.status(new Status(SHARD_DOWN, "no node takes writes"));
        } else {
            health.down();
        }
        return health.withDetails(details(own)).build();
    }

    private static Map<String, Object> details(ShardStatus shard) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("primary", shard.primary().endpoint());
        details.put("healthy", shard.healthy());
        details.put("total", shard.total());
        Map<String, Object> nodes = new LinkedHashMap<>();
        for (NodeStatus node : shard.nodes()) {
            nodes.put(node.node().endpoint(), ShardsEndpoint.describe(node));
        }
        details.put("nodes", nodes);
        return details;
    }
}
