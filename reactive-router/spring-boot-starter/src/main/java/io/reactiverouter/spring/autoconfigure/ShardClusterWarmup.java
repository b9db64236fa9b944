package io.reactiverouter.spring.autoconfigure;

import io.reactiverouter.ShardCluster;
import java.time.Duration;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.springframework.beans.factory.SmartInitializingSingleton;
import reactor.core.publisher.Mono;

/**
 * Connects to the shards before the application takes calls. A shard that is down then is no reason to stop the start:
 * the others serve, and it is connected to with its first call.
 */
final class ShardClusterWarmup implements SmartInitializingSingleton {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final Log LOG = LogFactory.getLog(ShardClusterWarmup.class);

    private final ShardCluster cluster;

    ShardClusterWarmup(ShardCluster cluster) {
        this.cluster = cluster;
    }

    @Override
    public void afterSingletonsInstantiated() {
        cluster.warmup()
                .timeout(TIMEOUT)
                .onErrorResume(error -> {
                    LOG.warn("Not every shard of " + cluster + " could be connected to at start", error);
                    return Mono.empty();
                })
                .block();
    }
}
