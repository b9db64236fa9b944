package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;

import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.test.Shards;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Gives each test a cluster whose pool has one connection, which is open and idle, and fails the test if that is not back, or
 * still at work, afterwards.
 */
@NullUnmarked
final class OneConnection implements BeforeEachCallback, AfterEachCallback {

    private final Shards shards;
    private final String applicationName;
    private ShardCluster cluster;
    private ShardOperations shard;

    OneConnection(Shards shards, String applicationName) {
        this.shards = shards;
        this.applicationName = applicationName;
    }

    ShardCluster cluster() {
        return cluster;
    }

    ShardOperations shard() {
        return shard;
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        cluster = TestClusters.over(shards, applicationName)
                .pool(PoolSettings.DEFAULTS.withMaxSize(1))
                .build();
        shard = cluster.router(Keyspace.named("x").key("id").strategy(ShardingStrategy.modulo()))
                .shard(ShardKey.of(1L));
        shard.update(Query.of("select 1")).block(TIMEOUT);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        TestClusters.awaitQuiet(cluster, shards, applicationName);
        cluster.close().block(TIMEOUT);
    }
}
