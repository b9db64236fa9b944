package io.reactiverouter.demo;

import io.reactiverouter.spring.autoconfigure.ShardsConnectionDetails;
import io.reactiverouter.test.EmbeddedShards;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.topology.Shard;
import java.util.UUID;
import java.util.stream.IntStream;
import org.springframework.beans.factory.annotation.Value;
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
    EmbeddedShards embeddedShards(@Value("${demo.replicas}") int replicas) {
        EmbeddedShards shards = EmbeddedShards.builder(SHARDS)
                .replicas(replicas)
                // Other users of the machine can reach the ports.
                .password(UUID.randomUUID().toString())
                .closeOnExit(false)
                .start();
        SpringApplication.getShutdownHandlers().add(shards::close);
        return shards;
    }

    @Bean
    ShardsConnectionDetails embeddedShardsConnectionDetails(
            EmbeddedShards shards, @Value("${demo.replicas}") int replicas) {
        return () -> IntStream.range(0, SHARDS)
                .mapToObj(index -> shard(shards, index, replicas))
                .toList();
    }

    private static Shard shard(EmbeddedShards shards, int index, int replicas) {
        ShardNode primary = shards.node(index);
        Shard shard = Shard.named(primary.name()).primary(primary.r2dbcUrl());
        for (int replica = 1; replica <= replicas; replica++) {
            shard = shard.replica(shards.server(index, replica).node().r2dbcUrl());
        }
        return shard;
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
