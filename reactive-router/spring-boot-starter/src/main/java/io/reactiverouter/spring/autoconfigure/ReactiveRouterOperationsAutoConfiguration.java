package io.reactiverouter.spring.autoconfigure;

import io.micrometer.core.instrument.MeterRegistry;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.micrometer.ClusterMeters;
import io.reactiverouter.micrometer.KeyspaceMeters;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.health.actuate.endpoint.HealthEndpointGroupsPostProcessor;
import org.springframework.boot.health.contributor.CompositeReactiveHealthContributor;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** What operators look at: health and endpoint of the shards, and the meters of their state. */
@AutoConfiguration(
        after = ReactiveRouterAutoConfiguration.class,
        afterName = {
            "org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration",
            // The group that this one changes is made there.
            "org.springframework.boot.health.autoconfigure.actuate.endpoint.AvailabilityProbesAutoConfiguration"
        })
@ConditionalOnBean(ShardCluster.class)
public final class ReactiveRouterOperationsAutoConfiguration {

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(CompositeReactiveHealthContributor.class)
    static class Health {

        @Bean
        @ConditionalOnMissingBean(name = "shardsHealthContributor")
        CompositeReactiveHealthContributor shardsHealthContributor(ShardCluster cluster) {
            return ShardHealthIndicator.of(cluster);
        }

        @Bean
        @ConditionalOnBooleanProperty(name = "reactive-router.observability.readiness", matchIfMissing = true)
        static HealthEndpointGroupsPostProcessor reactiveRouterReadiness() {
            return new ShardReadiness();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(Endpoint.class)
    static class Actuator {

        @Bean
        @ConditionalOnMissingBean
        ShardsEndpoint shardsEndpoint(ShardCluster cluster, ObjectProvider<ShardRouter> routers) {
            return new ShardsEndpoint(cluster, routers.orderedStream().toList());
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass({MeterRegistry.class, KeyspaceMeters.class})
    @ConditionalOnBean(MeterRegistry.class)
    static class Metrics {

        @Bean
        @ConditionalOnMissingBean
        ClusterMeters reactiveRouterClusterMeters(ShardCluster cluster) {
            return new ClusterMeters(cluster::status);
        }

        @Bean
        RowSampling reactiveRouterRowSampling(
                ShardCluster cluster,
                ObjectProvider<ShardRouter> routers,
                MeterRegistry registry,
                ReactiveRouterObservabilityProperties properties) {
            return new RowSampling(cluster, routers.orderedStream().toList(), registry, properties.rowSampling());
        }
    }
}
