package io.reactiverouter.spring.autoconfigure;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.observation.ObservationRegistry;
import io.reactiverouter.micrometer.CallMetrics;
import io.reactiverouter.micrometer.ObservedCalls;
import io.reactiverouter.observation.SqlLog;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * What watches calls: the log of statements; meters where there is a registry for them; spans where there is a tracer. A bean of
 * the same type takes the place of each.
 */
@AutoConfiguration(
        before = ReactiveRouterAutoConfiguration.class,
        afterName = {
            "org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration",
            "org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration",
            "org.springframework.boot.micrometer.observation.autoconfigure.ObservationAutoConfiguration",
            "org.springframework.boot.micrometer.tracing.autoconfigure.MicrometerTracingAutoConfiguration",
            "org.springframework.boot.micrometer.tracing.autoconfigure.NoopTracerAutoConfiguration",
            "org.springframework.boot.micrometer.tracing.brave.autoconfigure.BraveAutoConfiguration",
            "org.springframework.boot.micrometer.tracing.opentelemetry.autoconfigure.OpenTelemetryTracingAutoConfiguration"
        })
@EnableConfigurationProperties(ReactiveRouterObservabilityProperties.class)
public final class ReactiveRouterObservationAutoConfiguration {

    @Bean
    @ConditionalOnMissingBean
    SqlLog reactiveRouterSqlLog(ReactiveRouterObservabilityProperties properties) {
        return new SqlLog(properties.slowThreshold());
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(MeterRegistry.class)
    static class Metrics {

        @Bean
        @ConditionalOnBean(MeterRegistry.class)
        @ConditionalOnMissingBean
        CallMetrics reactiveRouterCallMetrics(MeterRegistry registry) {
            return new CallMetrics(registry);
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(ObservationRegistry.class)
    static class Tracing {

        @Bean
        @ConditionalOnBean(value = ObservationRegistry.class, type = "io.micrometer.tracing.Tracer")
        @ConditionalOnMissingBean
        ObservedCalls reactiveRouterObservedCalls(
                ObservationRegistry registry, ReactiveRouterObservabilityProperties properties) {
            return new ObservedCalls(registry, properties.showSql());
        }
    }
}
