package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.shardsOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.reactiverouter.connection.ConnectionSettings;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Settings of the cluster, of a shard and of a node. */
@NullUnmarked
class NodeSettingsIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3);

    private static final PoolSettings POOL = PoolSettings.DEFAULTS.withAcquireTimeout(TIMEOUT);
    private static final ConnectionSettings CONNECTION = ConnectionSettings.DEFAULTS.withConnectTimeout(TIMEOUT);
    private static final ShardId S0 = ShardId.of("s0");
    private static final ShardId S1 = ShardId.of("s1");
    private static final ShardId S2 = ShardId.of("s2");

    @Test
    void poolOfANodeComesBeforeThatOfItsShardAndThatBeforeTheClusters() {
        Shard s2 = Shard.named("s2")
                .primary("r2dbc:postgresql://app@db2/app")
                .replica("r2dbc:postgresql://app@db2r/app")
                .replica("r2dbc:postgresql://app@db2s/app");
        NodeId replica = s2.replicas().get(0).id();
        ShardCluster cluster = ShardCluster.builder()
                .pool(replica, POOL.withMaxSize(3))
                .pool(S2, POOL.withMaxSize(5))
                .pool(POOL.withMaxSize(7))
                .shards(shardsOf(SHARDS).subList(0, 2))
                .shard(s2)
                .build();

        assertThat(cluster.shards().stream()
                        .flatMap(shard -> shard.nodes().stream())
                        .map(node -> cluster.poolStatistics(node.id()).max()))
                .containsExactly(7, 7, 5, 3, 5);
        cluster.close().block(TIMEOUT);
    }

    @Test
    void connectionsAreOpenedAsTheirShardOrNodeSays() {
        List<Shard> shards = shardsOf(SHARDS);
        ShardCluster cluster = ShardCluster.builder()
                .shards(shards)
                .connection(CONNECTION.withStatementTimeout(Duration.ofSeconds(7)))
                .connection(S1, CONNECTION.withApplicationName("of-a-shard"))
                .connection(shards.get(2).primary().id(), CONNECTION.withApplicationName("of-a-node"))
                .build();
        try {
            assertThat(shown(cluster, S0)).isEqualTo("reactive-router 7s");
            assertThat(shown(cluster, S1)).isEqualTo("of-a-shard 0");
            assertThat(shown(cluster, S2)).isEqualTo("of-a-node 0");
            TestClusters.await(
                    "probes have the settings too",
                    TIMEOUT,
                    () -> TestClusters.connections(SHARDS.node(1), "of-a-shard health") == 1);
        } finally {
            cluster.close().block(TIMEOUT);
        }
    }

    private static String shown(ShardCluster cluster, ShardId shard) {
        return cluster.shard(shard)
                .queryOne(
                        Query.of("select current_setting('application_name') || ' '"
                                + " || current_setting('statement_timeout')"),
                        row -> row.get(0, String.class))
                .block(TIMEOUT);
    }

    @Test
    void settingsForWhatIsNotThereAreRefused() {
        List<Shard> shards = shardsOf(SHARDS);
        ShardCluster.Builder noShard = ShardCluster.builder().shards(shards).pool(ShardId.of("s7"), POOL);
        assertThatIllegalArgumentException()
                .isThrownBy(noShard::build)
                .withMessage(
                        "pool settings are set for shard s7, which the cluster does not have; it has [s0, s1, s2]");

        ShardCluster.Builder noNode =
                ShardCluster.builder().shards(shards).connection(new NodeId(S0, "db7:5432"), CONNECTION);
        assertThatIllegalArgumentException()
                .isThrownBy(noNode::build)
                .withMessageStartingWith(
                        "connection settings are set for node s0@db7:5432, which the cluster does not have; it has [s0@127");
    }
}
