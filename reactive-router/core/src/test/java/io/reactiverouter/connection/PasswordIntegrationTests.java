package io.reactiverouter.connection;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardOperations;
import io.reactiverouter.TestClusters;
import io.reactiverouter.observation.CloseReason;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.Secret;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import reactor.test.StepVerifier;

/** Passwords that change while the application runs. */
@NullUnmarked
class PasswordIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(1);

    private static final String APP = "password-tests";
    private static final Query PID = Query.of("select pg_backend_pid()");

    private final Path file;
    private ShardCluster cluster;

    PasswordIntegrationTests(@TempDir Path directory) {
        this.file = directory.resolve("password");
    }

    @BeforeEach
    void role() {
        administer("drop role if exists rotated", "create role rotated login password 'sentinel-old'");
    }

    @AfterEach
    void close() {
        if (cluster != null) {
            cluster.close().block(TIMEOUT);
        }
        administer("drop role if exists rotated");
    }

    @Test
    void newConnectionsHaveThePasswordThatTheFileHoldsThen() throws IOException {
        ShardOperations shard = open(Secret.file(file));
        StepVerifier.create(pid(shard))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(PasswordUnavailableException.class)
                        .hasMessageContaining(file.toString())
                        .hasMessageContaining("s0@127.0.0.1"))
                .verify(TIMEOUT);

        Files.writeString(file, "sentinel-old\n");
        int before = pid(shard).block(TIMEOUT);
        administer("alter role rotated password 'sentinel-new'");
        assertThat(pid(shard).block(TIMEOUT)).as("the open connection stays").isEqualTo(before);
        administer("select pg_terminate_backend(pid) from pg_stat_activity where application_name like '" + APP + "%'");
        await("they are gone", TIMEOUT, () -> TestClusters.connections(SHARDS.node(0), APP) == 0);
        await(
                "the client has heard of it",
                TIMEOUT,
                () -> cluster.poolStatistics(cluster.shards().get(0).primary().id())
                                .closed(CloseReason.BROKEN)
                        == 1);

        StepVerifier.create(pid(shard))
                .expectErrorSatisfies(error -> {
                    assertThat(((R2dbcException) error).getSqlState()).isEqualTo("28P01");
                    assertThat(error).hasStackTraceContaining("rotated");
                    assertThat(error.toString()).doesNotContain("sentinel");
                })
                .verify(TIMEOUT);
        Files.writeString(file, "sentinel-new");
        assertThat(pid(shard).block(TIMEOUT)).isNotEqualTo(before);
    }

    @Test
    void supplierIsAskedForEachConnection() {
        AtomicReference<String> vault = new AtomicReference<>("wrong");
        ShardOperations shard = open(Secret.from(vault::get));
        StepVerifier.create(pid(shard)).expectError(R2dbcException.class).verify(TIMEOUT);
        vault.set("sentinel-old");
        assertThat(pid(shard).block(TIMEOUT)).isPositive();
    }

    @Test
    void supplierThatFailsIsTheCause() {
        ShardOperations shard = open(Secret.from(() -> {
            throw new UnsupportedOperationException("the vault is sealed");
        }));
        StepVerifier.create(pid(shard))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(PasswordUnavailableException.class)
                        .hasMessageContaining("the vault is sealed")
                        .hasCauseInstanceOf(UnsupportedOperationException.class))
                .verify(TIMEOUT);
    }

    private ShardOperations open(Secret password) {
        cluster = ShardCluster.builder()
                .shard(Shard.named("s0").primary(SHARDS.node(0).r2dbcUrl()).credentials("rotated", password))
                .connection(ConnectionSettings.DEFAULTS.withApplicationName(APP))
                .build();
        return cluster.shard(ShardId.of("s0"));
    }

    private static reactor.core.publisher.Mono<Integer> pid(ShardOperations shard) {
        return shard.queryOne(PID, row -> row.get(0, Integer.class));
    }

    private static void administer(String... statements) {
        try (var connection = SHARDS.node(0).openSuperuserJdbc();
                var statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        } catch (java.sql.SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
