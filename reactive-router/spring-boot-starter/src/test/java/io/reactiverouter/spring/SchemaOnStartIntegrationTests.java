package io.reactiverouter.spring;

import static io.reactiverouter.spring.SpringShards.TIMEOUT;
import static io.reactiverouter.spring.SpringShards.numbers;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.connection.ConnectionSettings;
import io.reactiverouter.schema.MigrationFailedException;
import io.reactiverouter.schema.SchemaMismatchException;
import io.reactiverouter.schema.ShardMigrations;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.Shard;
import java.net.ConnectException;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

@ExtendWith(OutputCaptureExtension.class)
@NullUnmarked
class SchemaOnStartIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3);

    private static final String MIGRATE = "--reactive-router.schema.migrate-on-start=true";
    private static final String VALIDATE = "--reactive-router.schema.validate-on-start=true";
    private static final String DOWN =
            "--reactive-router.shards.s3.url=r2dbc:postgresql://app:hunter2-secret@127.0.0.1:1/app";
    private static final String TABLES = "select count(*) from pg_tables where schemaname = 'public'";

    @BeforeEach
    void empty() {
        SpringShards.sql(SHARDS, "drop schema public cascade; create schema public");
    }

    @Test
    void nothingHappensUnlessItIsAskedFor() {
        try (ConfigurableApplicationContext context = SpringShards.start(SHARDS, "schema")) {
            assertThat(numbers(SHARDS, TABLES)).containsOnly(0L);

            assertThat(context.getBean(ShardMigrations.class)
                            .migrate()
                            .block(TIMEOUT)
                            .isGood())
                    .isTrue();
            assertThat(numbers(SHARDS, "select count(*) from accounts")).containsOnly(0L);
        }
    }

    @Test
    void tablesAreThereBeforeAnythingUsesTheCluster() {
        SpringApplicationBuilder application =
                new SpringApplicationBuilder(SpringShards.Application.class, EarlyUser.class);
        try (ConfigurableApplicationContext context =
                SpringShards.start(application, SHARDS, "schema", MIGRATE, "--reactive-router.warmup=true")) {
            assertThat(context.getBean(Long.class)).isZero();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class EarlyUser {

        @Bean
        Long accounts(ShardCluster cluster) {
            return cluster.allShards()
                    .query(Query.of("select count(*) from accounts"), row -> row.get(0, Long.class))
                    .reduce(0L, Long::sum)
                    .block(TIMEOUT);
        }
    }

    @Test
    void anApplicationsOwnClusterWaitsToo() {
        SpringApplicationBuilder application =
                new SpringApplicationBuilder(SpringShards.Application.class, OwnCluster.class);
        try (ConfigurableApplicationContext context = SpringShards.start(application, SHARDS, "schema", MIGRATE)) {
            assertThat(context.getBean("tables")).isEqualTo(2L);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class OwnCluster {

        @Bean
        ShardCluster ownCluster() {
            return ShardCluster.builder()
                    .shard(Shard.named("s0").primary(SHARDS.node(0).r2dbcUrl()))
                    .connection(ConnectionSettings.DEFAULTS)
                    .build();
        }

        @Bean
        Long tables(ShardCluster cluster) {
            return SHARDS.node(0).number(TABLES);
        }
    }

    @Test
    void databaseBesideTheShardsIsMigratedWhereItIsNamed() {
        String main = SHARDS.node(2).r2dbcUrl();
        try (ConfigurableApplicationContext context = SpringShards.start(
                new OneShard(SHARDS), "schema", MIGRATE, "--reactive-router.schema.main.url=" + main)) {
            assertThat(context.isRunning()).isTrue();
            assertThat(numbers(SHARDS, "select count(*) from pg_tables where tablename = 'countries'"))
                    .containsExactly(0L, 0L, 1L);
            assertThat(numbers(SHARDS, "select count(*) from pg_tables where tablename = 'accounts'"))
                    .containsExactly(1L, 0L, 0L);
        }
    }

    @Test
    void aShardThatIsDownStopsTheStartWithAReport(CapturedOutput output) {
        assertThatThrownBy(() -> SpringShards.start(SHARDS, "schema", MIGRATE, DOWN))
                .hasRootCauseInstanceOf(ConnectException.class)
                .hasStackTraceContaining(MigrationFailedException.class.getName());

        assertThat(output)
                .contains("The schema of the shards is not ready: 3 not begun, 1 unreachable.")
                .containsPattern("s0 +not begun +none +lacks 1, 2")
                .containsPattern("s3 +unreachable +\\? +no primary answers: 127.0.0.1:1")
                .contains("migrate again: it goes on where it stopped")
                .doesNotContain("hunter2");
        assertThat(numbers(SHARDS, TABLES)).containsOnly(0L);
    }

    @Test
    void validationStopsTheStartWhereAShardIsBehind(CapturedOutput output) {
        SpringShards.start(SHARDS, "schema", MIGRATE).close();
        SpringShards.start(SHARDS, "schema", VALIDATE).close();
        SHARDS.node(1).execute("delete from flyway_schema_history where version = '2'");

        assertThatThrownBy(() -> SpringShards.start(SHARDS, "schema", VALIDATE))
                .hasStackTraceContaining(SchemaMismatchException.class.getName());

        assertThat(output)
                .containsPattern("s1 +behind +1 +lacks 2")
                .contains("reactive-router.schema.migrate-on-start=true");
    }
}
