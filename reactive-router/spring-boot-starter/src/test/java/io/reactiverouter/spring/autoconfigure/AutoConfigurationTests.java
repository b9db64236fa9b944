package io.reactiverouter.spring.autoconfigure;

import static io.reactiverouter.spring.autoconfigure.TestApplications.runner;
import static io.reactiverouter.spring.autoconfigure.TestApplications.shards;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.r2dbc.spi.ConnectionFactory;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.schema.ShardMigrations;
import io.reactiverouter.spring.ShardedDatabaseClient;
import io.reactiverouter.strategy.HashSlots;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.Modulo;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.strategy.UnroutableKeyException;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.transaction.ReactiveTransactionManager;
import org.springframework.util.ClassUtils;

class AutoConfigurationTests {

    private static final String USERS_KEY = "reactive-router.keyspaces.users.key=id";

    @Test
    void bootsOwnR2dbcSupportIsNotNeeded() {
        assertThat(ClassUtils.isPresent(
                        "org.springframework.boot.r2dbc.autoconfigure.R2dbcAutoConfiguration",
                        getClass().getClassLoader()))
                .isFalse();
        runner().withPropertyValues(shards(3))
                .run(context -> assertThat(context)
                        .hasNotFailed()
                        .hasSingleBean(ShardCluster.class)
                        .hasSingleBean(ShardedDatabaseClient.class));
    }

    @Test
    void noBeanOfASingleDatabaseIsPublished() {
        runner().withPropertyValues(shards(3))
                .run(context -> assertThat(context)
                        .doesNotHaveBean(ConnectionFactory.class)
                        .doesNotHaveBean(DatabaseClient.class)
                        .doesNotHaveBean(ReactiveTransactionManager.class));
    }

    @Test
    void withoutFlywayThereIsNothingToMigrateWith() {
        ApplicationContextRunner withSchema = runner().withConfiguration(
                        AutoConfigurations.of(ReactiveRouterSchemaAutoConfiguration.class))
                .withPropertyValues(shards(1));
        withSchema.run(context -> assertThat(context).hasSingleBean(ShardMigrations.class));
        ApplicationContextRunner without = withSchema.withClassLoader(new FilteredClassLoader("org.flywaydb"));
        without.run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(ShardMigrations.class));
        without.withPropertyValues("reactive-router.schema.validate-on-start=true")
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .hasMessageContaining("reactive-router.schema.validate-on-start")
                        .hasMessageContaining("not on the class path"));
    }

    @Test
    void theOnlyRouterNeedsNoQualifier() {
        runner().withPropertyValues(shards(2))
                .withUserConfiguration(OneRouter.class)
                .run(context -> {
                    ShardRouter router = context.getBean(OneRouter.class).router;
                    assertThat(router).isSameAs(context.getBean("tradingShardRouter"));
                    assertThat(router.placement().strategy()).isInstanceOf(Modulo.class);
                });
    }

    @Test
    void routersAreToldApartByTheNameOfTheirKeyspace() {
        runner().withPropertyValues(shards(2))
                .withPropertyValues(USERS_KEY)
                .withUserConfiguration(TwoRouters.class)
                .run(context -> {
                    TwoRouters injected = context.getBean(TwoRouters.class);
                    assertThat(injected.trading.placement().keyspace().name()).isEqualTo("trading");
                    assertThat(injected.users.placement().keyspace().name()).isEqualTo("users");
                    assertThat(injected.usersShardRouter).isSameAs(injected.users);
                    assertThat(injected.users.placement().strategy()).isInstanceOf(HashSlots.class);
                });
    }

    @Test
    void aKeyspaceBeanHasARouterToo() {
        runner().withPropertyValues(shards(2))
                .withUserConfiguration(UsersKeyspace.class)
                .run(context -> {
                    ShardRouter router = context.getBean("usersShardRouter", ShardRouter.class);
                    assertThat(router.placement().keyspace()).isSameAs(context.getBean(Keyspace.class));
                    assertThat(context.getBean(ShardedDatabaseClient.class).forKey("users", ShardKey.of(7)))
                            .isNotNull();
                });
    }

    @Test
    void theApplicationsOwnClusterReplacesOurs() {
        runner().withPropertyValues("reactive-router.keyspaces.trading.key=user_id")
                .withUserConfiguration(OwnCluster.class)
                .run(context -> {
                    assertThat(context).hasNotFailed().hasSingleBean(ShardCluster.class);
                    assertThat(context.getBean(ShardRouter.class)
                                    .placement()
                                    .strategy()
                                    .shards())
                            .containsExactly(ShardId.of("own"));
                });
    }

    @Test
    void connectionDetailsReplaceTheProperties() {
        runner().withPropertyValues("reactive-router.keyspaces.trading.key=user_id")
                .withUserConfiguration(OwnShards.class)
                .run(context -> assertThat(context.getBean(ShardCluster.class).shards())
                        .extracting(shard -> shard.id().value())
                        .containsExactly("b", "a"));
    }

    @Test
    void theApplicationsOwnRouterIsUsed() {
        runner().withPropertyValues(shards(2))
                .withAllowBeanDefinitionOverriding(false)
                .withUserConfiguration(OwnRouter.class)
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    assertThat(context.getBean(ShardRouter.class)
                                    .placement()
                                    .keyspace()
                                    .keyColumn())
                            .isEqualTo("account_id");
                });
    }

    @Test
    void oneShardIsUsedThroughTheSameBeans() {
        runner().withPropertyValues(shards(1)).run(context -> {
            ShardedDatabaseClient database = context.getBean(ShardedDatabaseClient.class);
            assertThat(database.forKey(ShardKey.of(1))).isSameAs(database.forKey(ShardKey.of(2)));
        });
    }

    @Test
    void aShardHasOneClient() {
        runner().withPropertyValues(shards(2)).run(context -> {
            ShardedDatabaseClient database = context.getBean(ShardedDatabaseClient.class);
            assertThat(database.forKey(ShardKey.of(3)))
                    .isSameAs(database.forKey("trading", ShardKey.of(5)))
                    .isSameAs(database.forShard(ShardId.of("s1")))
                    .isNotSameAs(database.forKey(ShardKey.of(4)));
        });
    }

    @Test
    @NullUnmarked
    void aKeyWithoutAShardIsAnError() {
        runner().withPropertyValues(shards(2)).run(context -> {
            ShardedDatabaseClient database = context.getBean(ShardedDatabaseClient.class);
            assertThatThrownBy(() -> database.forKey(null)).isInstanceOf(UnroutableKeyException.class);
            assertThatThrownBy(() -> database.transactional((ShardKey) null))
                    .isInstanceOf(UnroutableKeyException.class);
            assertThatThrownBy(() -> database.forKey(ShardKey.of("text")))
                    .isInstanceOf(UnroutableKeyException.class)
                    .hasMessageContaining("modulo places integer keys only");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> database.forShard(ShardId.of("s7")))
                    .withMessageContaining("s7")
                    .withMessageContaining("[s0, s1]");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> database.forKey("tradign", ShardKey.of(1)))
                    .withMessageContaining("tradign")
                    .withMessageContaining("[trading]");
        });
    }

    @Test
    void aKeyWithoutAKeyspaceNeedsExactlyOneKeyspace() {
        runner().withPropertyValues(shards(2))
                .withPropertyValues(USERS_KEY)
                .run(context -> assertThatIllegalStateException()
                        .isThrownBy(() ->
                                context.getBean(ShardedDatabaseClient.class).forKey(ShardKey.of(1)))
                        .withMessageContaining("trading")
                        .withMessageContaining("users"));
    }

    @Configuration(proxyBeanMethods = false)
    static class OneRouter {

        final ShardRouter router;

        OneRouter(ShardRouter router) {
            this.router = router;
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class TwoRouters {

        final ShardRouter trading;
        final ShardRouter users;
        final ShardRouter usersShardRouter;

        TwoRouters(
                @Qualifier("trading") ShardRouter one,
                @Qualifier("users") ShardRouter other,
                ShardRouter usersShardRouter) {
            this.trading = one;
            this.users = other;
            this.usersShardRouter = usersShardRouter;
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class UsersKeyspace {

        @Bean
        Keyspace usersKeyspace() {
            return Keyspace.named("users").key("id").strategy(ShardingStrategy.modulo());
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class OwnCluster {

        @Bean
        ShardCluster ownCluster() {
            return ShardCluster.builder()
                    .shard(Shard.named("own").primary("r2dbc:postgresql://app@db.invalid/app"))
                    .build();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class OwnShards {

        @Bean
        ShardsConnectionDetails shards() {
            return () -> List.of(
                    Shard.named("b").primary("r2dbc:postgresql://app@db0.invalid/app"),
                    Shard.named("a").primary("r2dbc:postgresql://app@db1.invalid/app"));
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class OwnRouter {

        @Bean
        ShardRouter tradingShardRouter(ShardCluster cluster) {
            return cluster.router(Keyspace.named("trading").key("account_id"));
        }
    }
}
