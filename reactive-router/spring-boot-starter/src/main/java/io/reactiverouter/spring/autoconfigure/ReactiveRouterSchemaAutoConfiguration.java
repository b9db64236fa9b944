package io.reactiverouter.spring.autoconfigure;

import io.reactiverouter.schema.ShardMigrations;
import org.flywaydb.core.Flyway;
import org.flywaydb.database.postgresql.PostgreSQLConfigurationExtension;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;

/**
 * Configures {@link ShardMigrations} where Flyway and the JDBC driver are on the class path, and runs them at start where
 * {@code reactive-router.schema.migrate-on-start} or {@code validate-on-start} says so. The application's own
 * {@link ShardMigrations} replaces the one made here. No {@code DataSource} is published or needed.
 */
@AutoConfiguration(after = ReactiveRouterAutoConfiguration.class)
public final class ReactiveRouterSchemaAutoConfiguration {

    @Bean(SchemaInitializer.BEAN)
    SchemaInitializer reactiveRouterSchemaInitializer(
            ReactiveRouterProperties properties, ObjectProvider<ShardMigrations> migrations) {
        return new SchemaInitializer(properties.schema(), migrations);
    }

    @Bean
    static BeanFactoryPostProcessor reactiveRouterSchemaBeforeClusters() {
        return SchemaInitializer.beforeClusters();
    }

    /** Where all that it takes is there. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(
            value = {Flyway.class, PostgreSQLConfigurationExtension.class},
            name = "org.postgresql.Driver")
    static class WithFlyway {

        /** Made when it is needed: an application that does without has no use for its errors. */
        @Bean
        @Lazy
        @ConditionalOnMissingBean
        ShardMigrations shardMigrations(ReactiveRouterProperties properties, ShardsConnectionDetails details) {
            return ConfiguredMigrations.of(properties, details.shards());
        }
    }
}
