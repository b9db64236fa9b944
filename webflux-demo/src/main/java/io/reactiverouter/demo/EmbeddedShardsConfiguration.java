package io.reactiverouter.demo;

import io.reactiverouter.spring.autoconfigure.ShardsConnectionDetails;
import io.reactiverouter.test.EmbeddedShards;
import io.reactiverouter.topology.Shard;
import java.util.UUID;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.condition.ConditionMessage;
import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.SpringBootCondition;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.type.AnnotatedTypeMetadata;

/** Brings three PostgreSQL shards along where {@code reactive-router.shards} names none. */
@Configuration(proxyBeanMethods = false)
@Conditional(EmbeddedShardsConfiguration.NoShardsConfigured.class)
class EmbeddedShardsConfiguration {

    private static final int SHARDS = 3;

    /** Closed after the context, and so after the cluster that uses them, also when the start is broken off. */
    @Bean(destroyMethod = "close")
    EmbeddedShards embeddedShards() {
        EmbeddedShards shards = EmbeddedShards.builder(SHARDS)
                // Other users of the machine can reach the ports.
                .password(UUID.randomUUID().toString())
                .closeOnExit(false)
                .start();
        SpringApplication.getShutdownHandlers().add(shards::close);
        return shards;
    }

    @Bean
    ShardsConnectionDetails embeddedShardsConnectionDetails(EmbeddedShards shards) {
        return () -> shards.nodes().stream()
                .map(node -> Shard.named(node.name()).primary(node.r2dbcUrl()))
                .toList();
    }

    /** Matches where no property below {@code reactive-router.shards} is set. */
    static final class NoShardsConfigured extends SpringBootCondition {

        private static final String SHARDS = "reactive-router.shards";

        @Override
        public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
            boolean configured = Binder.get(context.getEnvironment())
                    .bind(SHARDS, Bindable.mapOf(String.class, Object.class))
                    .map(shards -> !shards.isEmpty())
                    .orElse(false);
            ConditionMessage.Builder message = ConditionMessage.forCondition("no " + SHARDS);
            return configured
                    ? ConditionOutcome.noMatch(message.because("shards are configured"))
                    : ConditionOutcome.match(message.because("embedded ones are used"));
        }
    }
}
