package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.await;
import static io.reactiverouter.TestClusters.connections;
import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.connection.ConnectionSettings;
import io.reactiverouter.connection.IncompatibleServerException;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.Shard;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Locale;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.test.StepVerifier;

/** A database whose hashes of texts are others is refused before the first statement. */
@NullUnmarked
class IncompatibleServerIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(1);

    private static final String APP = "incompatible-server-tests";

    // EUC_JP has other characters than LATIN1 has; SQL_ASCII takes any bytes, whatever they mean.
    @ParameterizedTest
    @ValueSource(strings = {"LATIN1", "EUC_JP", "SQL_ASCII"})
    void databaseInAnotherEncodingIsRefused(String encoding) throws SQLException {
        ShardNode node = SHARDS.node(0);
        String database = node.database() + "_" + encoding.toLowerCase(Locale.ROOT);
        administer(
                node,
                "create database " + database + " encoding '" + encoding + "' template template0 locale 'C' owner "
                        + node.username());
        String url = node.r2dbcUrl();
        ShardCluster cluster = ShardCluster.builder()
                .shard(Shard.named("s0").primary(url.substring(0, url.lastIndexOf('/') + 1) + database))
                .connection(ConnectionSettings.DEFAULTS.withApplicationName(APP).withConnectTimeout(TIMEOUT))
                .pool(PoolSettings.DEFAULTS.withAcquireTimeout(TIMEOUT))
                .build();
        try {
            ShardRouter router = cluster.router(Keyspace.named("tenants").key("tenant_id"));
            for (int i = 0; i < 3; i++) {
                StepVerifier.create(router.shard(ShardKey.of(1)).query(Query.of("select 1"), row -> 1))
                        .expectErrorSatisfies(error -> assertThat(error)
                                .isInstanceOf(IncompatibleServerException.class)
                                .hasMessageContaining("node s0")
                                .hasMessageContaining("its database is not in UTF-8"))
                        .verify(TIMEOUT);
            }
            await("no connection is left open", TIMEOUT, () -> connections(node, APP) == 0);
            assertThat(TestClusters.acquired(cluster)).isZero();
        } finally {
            cluster.close().block(TIMEOUT);
            administer(node, "drop database " + database);
        }
    }

    private static void administer(ShardNode node, String sql) throws SQLException {
        try (Connection connection = node.openSuperuserJdbc();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
