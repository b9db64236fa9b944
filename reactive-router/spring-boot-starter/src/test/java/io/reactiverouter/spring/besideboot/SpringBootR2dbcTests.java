package io.reactiverouter.spring.besideboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.r2dbc.spi.ConnectionFactory;
import io.reactiverouter.spring.ShardedDatabaseClient;
import io.reactiverouter.strategy.ShardKey;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.r2dbc.connection.R2dbcTransactionManager;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.transaction.ReactiveTransactionManager;

@Tag("beside-spring-boot-r2dbc")
@ExtendWith(OutputCaptureExtension.class)
class SpringBootR2dbcTests {

    private static final String SHARD = "--reactive-router.shards.s0.url=r2dbc:postgresql://app@db0.invalid:5432/app";
    private static final String KEYSPACE = "--reactive-router.keyspaces.trading.key=user_id";

    @SpringBootConfiguration
    @EnableAutoConfiguration
    static class Application {}

    @Test
    void theUnshardedDatabaseKeepsItsBeans() {
        try (ConfigurableApplicationContext context = SpringApplication.run(
                Application.class,
                SHARD,
                KEYSPACE,
                "--spring.r2dbc.url=r2dbc:postgresql://app@main.invalid:5432/app")) {
            ConnectionFactory main = context.getBean(ConnectionFactory.class);
            DatabaseClient client = context.getBean(DatabaseClient.class);

            assertThat(client.getConnectionFactory()).isSameAs(main);
            assertThat(((R2dbcTransactionManager) context.getBean(ReactiveTransactionManager.class))
                            .getConnectionFactory())
                    .isSameAs(main);
            assertThat(context.getBean(ShardedDatabaseClient.class)
                            .forKey(ShardKey.of(1))
                            .getConnectionFactory())
                    .isNotSameAs(main);
        }
    }

    @Test
    void withoutItsUrlTheWayOutIsNamed(CapturedOutput output) {
        assertThatThrownBy(() -> SpringApplication.run(Application.class, SHARD, KEYSPACE))
                .isInstanceOf(Exception.class);

        assertThat(output)
                .contains("The shards of 'reactive-router.shards' do not need it")
                .contains(
                        "spring.autoconfigure.exclude=org.springframework.boot.r2dbc.autoconfigure.R2dbcAutoConfiguration")
                .contains("set spring.r2dbc.url");
    }

    @Test
    void theWayOutWorks() {
        try (ConfigurableApplicationContext context = SpringApplication.run(
                Application.class,
                SHARD,
                KEYSPACE,
                "--spring.autoconfigure.exclude=org.springframework.boot.r2dbc.autoconfigure.R2dbcAutoConfiguration")) {
            assertThat(context.getBeansOfType(ConnectionFactory.class)).isEmpty();
            assertThat(context.getBean(ShardedDatabaseClient.class)).isNotNull();
        }
    }
}
