package io.reactiverouter.demo.console;

import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.connection.PoolStatistics;
import io.reactiverouter.demo.console.ShardCard.Health;
import io.reactiverouter.demo.console.ShardCard.Judgement;
import io.reactiverouter.demo.console.ShardCard.NodeCard;
import io.reactiverouter.health.NodeStatus;
import io.reactiverouter.health.ShardStatus;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.NodeRole;
import io.reactiverouter.topology.NodeState;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ShardCardTests {

    private static final ShardId SHARD = ShardId.of("s0");
    private static final String REFUSED = "password authentication failed for user \"app\"";

    @Test
    void primaryThatRefusesProbesIsDownAndSaysWhy() {
        ShardStatus shard = shard(node("a:5432", NodeRole.UNKNOWN, REFUSED), node("b:5432", NodeRole.REPLICA, null));

        assertThat(Judgement.of(shard))
                .isEqualTo(new Judgement(Health.DOWN, "the primary has refused every probe so far"));
        NodeCard card = NodeCard.of(shard, shard.nodes().get(0));
        assertThat(card.health()).isEqualTo(Health.DOWN);
        assertThat(card.lastError()).isEqualTo(REFUSED);
    }

    @Test
    void replicaThatRefusesProbesIsSomethingWrong() {
        ShardStatus shard = shard(node("a:5432", NodeRole.PRIMARY, null), node("b:5432", NodeRole.UNKNOWN, REFUSED));

        assertThat(Judgement.of(shard))
                .isEqualTo(new Judgement(Health.DEGRADED, "b:5432 has refused every probe so far"));
    }

    @Test
    void nodeThatAnswersAgainHasNoError() {
        ShardStatus shard = shard(node("a:5432", NodeRole.PRIMARY, "Connection refused"));

        assertThat(Judgement.of(shard).health()).isEqualTo(Health.UP);
        assertThat(NodeCard.of(shard, shard.nodes().get(0)).lastError()).isNull();
    }

    @Test
    void nobodyHasBeenAsked() {
        ShardStatus shard = shard(node("a:5432", NodeRole.UNKNOWN, null));

        assertThat(Judgement.of(shard).health()).isEqualTo(Health.UNKNOWN);
        assertThat(NodeCard.of(shard, shard.nodes().get(0)).reason()).isEqualTo("has not been asked yet");
    }

    private static ShardStatus shard(NodeStatus... nodes) {
        return new ShardStatus(SHARD, nodes[0].node(), List.of(nodes));
    }

    private static NodeStatus node(String endpoint, NodeRole role, @Nullable String lastError) {
        return new NodeStatus(
                new NodeId(SHARD, endpoint),
                NodeState.HEALTHY,
                null,
                role,
                false,
                role == NodeRole.UNKNOWN ? 0 : 1,
                0,
                Duration.ZERO,
                Duration.ofMillis(1),
                0,
                lastError,
                0,
                false,
                false,
                new PoolStatistics(16, 0, 0, 0, 0, 0, 0, 0, 0, Map.of()));
    }
}
