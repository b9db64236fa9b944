package io.reactiverouter.spring.autoconfigure;

import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.observation.CallInstrumentation;
import io.reactiverouter.observation.ClusterListener;
import io.reactiverouter.spring.ShardedDatabaseClient;
import io.reactiverouter.topology.Shard;
import java.util.List;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.Environment;

/**
 * Configures the cluster of {@code reactive-router.shards}, a {@link ShardRouter} for each keyspace, and
 * {@link ShardedDatabaseClient}. The application's own {@link ShardCluster}, {@link ShardsConnectionDetails} or
 * {@link ShardedDatabaseClient} replaces the one made here; its {@link ClusterListener} is used.
 *
 * <p>Publishes no {@code ConnectionFactory}, {@code DatabaseClient} or transaction manager, of which each belongs to one
 * shard: those of an unsharded database beside the shards keep working without a qualifier.
 */
@AutoConfiguration
@EnableConfigurationProperties(ReactiveRouterProperties.class)
public final class ReactiveRouterAutoConfiguration {

    @Bean
    static ShardRouterRegistrar reactiveRouterShardRouterRegistrar(Environment environment) {
        return new ShardRouterRegistrar(environment);
    }

    @Bean
    @ConditionalOnMissingBean
    ShardsConnectionDetails shardsConnectionDetails(ReactiveRouterProperties properties) {
        return new PropertiesShardsConnectionDetails(properties);
    }

    @Bean
    ShardClusterCloser reactiveRouterShardClusterCloser() {
        return new ShardClusterCloser();
    }

    /** The closer closes it: Spring would wait for the result of a destroy method without a limit. */
    @Bean(destroyMethod = "")
    @ConditionalOnMissingBean
    ShardCluster shardCluster(
            ReactiveRouterProperties properties,
            ShardsConnectionDetails details,
            ObjectProvider<ClusterListener> listeners,
            ObjectProvider<CallInstrumentation> instrumentations,
            ShardClusterCloser closer) {
        List<Shard> shards = SingleShard.of(properties.singleShard()).among(details.shards());
        ShardCluster.Builder builder = ShardCluster.builder()
                .shards(shards)
                .health(ConfiguredSettings.health(properties.health()))
                .failover(ConfiguredSettings.failover(properties.failover()))
                .retry(ConfiguredSettings.retry(properties.retry()))
                .reads(ConfiguredSettings.reads(properties.reads()))
                .listener(ClusterListener.of(listeners.orderedStream().toList()))
                .instrumentation(
                        CallInstrumentation.of(instrumentations.orderedStream().toList()));
        ConfiguredSettings.nodes(builder, properties, shards);
        ConfiguredSettings.callTimeout(builder, properties.callTimeout());
        Integer eventLoops = properties.eventLoops();
        if (eventLoops != null) {
            builder.eventLoops(ConfiguredSettings.eventLoops(eventLoops));
        }
        String name = properties.name();
        if (name != null) {
            ConfiguredSettings.name(builder, name);
        }
        String cursorKey = properties.cursorKey();
        if (cursorKey != null) {
            ConfiguredSettings.cursorKey(builder, cursorKey);
        }
        return closer.closing(InvalidRouterConfigurationException.check(
                ReactiveRouterProperties.PREFIX + ".shards",
                "Correct the shards, in the properties or in the bean of type ShardsConnectionDetails.",
                builder::build));
    }

    @Bean
    @ConditionalOnBooleanProperty("reactive-router.warmup")
    ShardClusterWarmup reactiveRouterShardClusterWarmup(ShardCluster cluster) {
        return new ShardClusterWarmup(cluster);
    }

    @Bean
    @ConditionalOnMissingBean
    ShardedDatabaseClient shardedDatabaseClient(ShardCluster cluster, ObjectProvider<ShardRouter> routers) {
        return ShardedDatabaseClient.create(cluster, routers.orderedStream().toList());
    }
}
