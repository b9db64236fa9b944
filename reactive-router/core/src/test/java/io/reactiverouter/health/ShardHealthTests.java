package io.reactiverouter.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.r2dbc.spi.R2dbcNonTransientResourceException;
import io.r2dbc.spi.R2dbcTransientResourceException;
import io.reactiverouter.connection.PoolStatistics;
import io.reactiverouter.observation.ClusterListener;
import io.reactiverouter.routing.ReadTarget;
import io.reactiverouter.routing.RoutingTable;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.NodeRole;
import io.reactiverouter.topology.NodeState;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What follows from answers in any order; those of real servers are in FailoverIntegrationTests. */
@NullUnmarked
class ShardHealthTests {

    private static final ShardId S0 = ShardId.of("s0");
    private static final NodeId A = new NodeId(S0, "a:5432");
    private static final NodeId B = new NodeId(S0, "b:5432");
    private static final NodeId C = new NodeId(S0, "c:5432");
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

    private final List<String> events = new ArrayList<>();
    private final RoutingTable table = new RoutingTable(List.of(Shard.named("s0")
            .primary("r2dbc:postgresql://u@a/db")
            .replica("r2dbc:postgresql://u@b/db")
            .replica("r2dbc:postgresql://u@c/db")));
    private final ShardHealth health = new ShardHealth(
            S0,
            table,
            HealthSettings.DEFAULTS,
            listener(),
            Clock.fixed(NOW, ZoneOffset.UTC),
            node -> events.add("cut " + node.endpoint()));
    private long nanoTime;

    @Test
    void promotedNodeTakesOverAtItsFirstAnswer() {
        primary(A, 1);
        replica(B);
        primary(B, 2);
        assertThat(table.primary(S0)).isEqualTo(B);
        assertThat(events).containsExactly("primary a:5432 -> b:5432", "cut a:5432", "fenced a:5432", "cut a:5432");
        assertThat(table.takesWrites(A)).isFalse();
        assertThat(table.takesWrites(B)).isTrue();
    }

    @Test
    void whoAnswersFirstDoesNotMatter() {
        primary(C, 2);
        primary(B, 1);
        assertThat(table.primary(S0)).as("the named one has not been heard of").isEqualTo(A);
        assertThat(events).isEmpty();
        primary(A, 2);
        assertThat(table.primary(S0)).as("on one timeline the named one").isEqualTo(A);
        assertThat(table.takesWrites(A)).isTrue();
        assertThat(events).containsExactlyInAnyOrder("fenced b:5432", "cut b:5432", "fenced c:5432", "cut c:5432");
    }

    @Test
    void namedPrimaryThatIsDownAtTheStartIsNotWaitedFor() {
        primary(B, 3);
        fail(A);
        assertThat(table.primary(S0)).isEqualTo(B);
    }

    @Test
    void namedPrimaryThatIsAStandbyIsReplaced() {
        replica(A);
        primary(C, 1);
        assertThat(table.primary(S0)).isEqualTo(C);
    }

    @Test
    void formerPrimaryNeverComesBackByItself() {
        primary(A, 1);
        primary(B, 2);
        fail(B);
        fail(B);
        fail(B);
        primary(A, 1);
        primary(A, 1);
        assertThat(table.primary(S0)).isEqualTo(B);
        assertThat(table.takesWrites(A)).isFalse();
        // Until it is promoted itself.
        replica(A);
        primary(A, 3);
        assertThat(table.primary(S0)).isEqualTo(A);
        assertThat(table.takesWrites(A)).isTrue();
    }

    @Test
    void copyThatThinksItIsPrimaryTakesNothingEvenWhenTheOtherIsGone() {
        primary(A, 1);
        primary(B, 1);
        assertThat(events).containsExactly("fenced b:5432", "cut b:5432");
        fail(A);
        fail(A);
        fail(A);
        primary(B, 1);
        assertThat(table.primary(S0)).isEqualTo(A);
        assertThat(table.takesWrites(B)).isFalse();
    }

    @Test
    void primaryThatGoesBackInTimeIsFencedToo() {
        primary(A, 1);
        primary(B, 2);
        events.clear();
        primary(B, 1);
        assertThat(table.primary(S0)).isEqualTo(B);
        assertThat(table.takesWrites(B)).as("restored from an old copy").isFalse();
        assertThat(events).contains("fenced b:5432", "cut b:5432");
        primary(B, 3);
        assertThat(table.takesWrites(B)).isTrue();
    }

    @Test
    void nodeOfAnotherDatabaseClusterIsNothing() {
        primary(A, 1);
        health.answered(
                B, new ProbeAnswer(NodeRole.PRIMARY, 99, 7, 1000, Duration.ZERO, Duration.ofMillis(1)), ++nanoTime);
        assertThat(table.primary(S0)).isEqualTo(A);
        assertThat(status(B).fenced()).isTrue();
        health.answered(
                C, new ProbeAnswer(NodeRole.REPLICA, 99, 7, 1000, Duration.ZERO, Duration.ofMillis(1)), ++nanoTime);
        assertThat(status(C).fenced()).isTrue();
    }

    @Test
    void copyTakesNothingWhenThePrimaryBecomesAStandbyEither() {
        primary(A, 1);
        primary(B, 1);
        replica(A);
        primary(B, 1);
        assertThat(table.primary(S0)).isEqualTo(A);
        primary(C, 2);
        assertThat(table.primary(S0)).isEqualTo(C);
    }

    @Test
    void serverThatWasReachedByAnotherAddressTakesOverWhenTheFormerOneIsEjected() {
        primary(A, 1);
        fail(A);
        primary(B, 1);
        assertThat(status(B).fenced()).as("while A may come back").isFalse();
        assertThat(table.primary(S0)).isEqualTo(A);
        fail(A);
        fail(A);
        primary(B, 1);
        assertThat(table.primary(S0)).isEqualTo(B);
        assertThat(table.takesWrites(B)).isTrue();
    }

    @Test
    void guessOfTheDatabaseClusterIsCorrectedByTheNamedPrimary() {
        answer(B, 7, 5);
        fail(A);
        assertThat(table.primary(S0)).isEqualTo(B);
        primary(A, 1);
        assertThat(table.primary(S0)).isEqualTo(A);
        assertThat(table.takesWrites(A)).isTrue();
        assertThat(status(B).fenced()).isTrue();
    }

    @Test
    void allNodesTogetherCanBeNew() {
        primary(A, 3);
        replica(B);
        answer(A, 7, 1);
        assertThat(table.takesWrites(A)).as("a slip in a name, perhaps").isFalse();
        health.answered(
                B, new ProbeAnswer(NodeRole.REPLICA, 7, 1, 1000, Duration.ZERO, Duration.ofMillis(1)), ++nanoTime);
        fail(C);
        answer(A, 7, 1);
        assertThat(table.primary(S0)).isEqualTo(A);
        assertThat(table.takesWrites(A)).isTrue();
    }

    @Test
    void replicaOnALaterTimelineShowsThatAPrimaryIsAFormerOne() {
        fail(B);
        health.answered(C, answer(NodeRole.REPLICA, 2, 1000, Duration.ZERO), ++nanoTime);
        primary(A, 1);
        assertThat(table.takesWrites(A)).isFalse();
        primary(B, 2);
        assertThat(table.primary(S0)).isEqualTo(B);
    }

    @Test
    void nodeIsEjectedAfterThreeFailuresInARowAndComesBackWithAnAnswer() {
        primary(A, 1);
        replica(B);
        fail(B);
        fail(B);
        replica(B);
        fail(B);
        fail(B);
        assertThat(status(B).state()).isEqualTo(NodeState.HEALTHY);
        fail(B);
        assertThat(status(B)).satisfies(status -> {
            assertThat(status.state()).isEqualTo(NodeState.EJECTED);
            assertThat(status.since()).isEqualTo(NOW);
            assertThat(status.lastError()).isEqualTo("gone");
        });
        assertThat(table.isEjected(B)).isTrue();
        replica(B);
        assertThat(status(B).state()).isEqualTo(NodeState.HEALTHY);
        assertThat(table.isEjected(B)).isFalse();
        assertThat(events).containsExactly("b:5432 HEALTHY -> EJECTED", "b:5432 EJECTED -> HEALTHY");
    }

    @ParameterizedTest
    @ValueSource(strings = {"53300", "28P01", "42501"})
    void refusalsDoNotEject(String state) {
        primary(A, 1);
        for (int i = 0; i < 10; i++) {
            health.failed(A, new R2dbcNonTransientResourceException("refused", state), ++nanoTime);
        }
        assertThat(status(A).state()).isEqualTo(NodeState.HEALTHY);
        assertThat(status(A).lastError()).isEqualTo("refused");
    }

    @ParameterizedTest
    @ValueSource(strings = {"57P01", "57P03", "08006"})
    void serversThatDoNotServeAreEjected(String state) {
        primary(A, 1);
        for (int i = 0; i < 3; i++) {
            health.failed(A, new R2dbcTransientResourceException("refused", state), ++nanoTime);
        }
        assertThat(status(A).state()).isEqualTo(NodeState.EJECTED);
    }

    @Test
    void replicaLagsByWhatItHasNotApplied() {
        health.answered(A, answer(NodeRole.PRIMARY, 1, 5000, Duration.ZERO), ++nanoTime);
        health.answered(B, answer(NodeRole.REPLICA, 1, 1000, Duration.ofMinutes(3)), ++nanoTime);
        assertThat(status(B).state()).isEqualTo(NodeState.LAGGING);
        assertThat(status(B).lagBytes()).isEqualTo(4000);
        assertThat(status(B).lag()).isEqualTo(Duration.ofMinutes(3));
        health.answered(B, answer(NodeRole.REPLICA, 1, 5000, Duration.ofHours(1)), ++nanoTime);
        assertThat(status(B).state()).as("all is applied").isEqualTo(NodeState.HEALTHY);
        assertThat(status(B).lag()).isZero();
        // A quiet hour, then a commit that is on its way.
        health.answered(A, answer(NodeRole.PRIMARY, 1, 6000, Duration.ZERO), nanoTime);
        nanoTime += Duration.ofSeconds(5).toNanos();
        health.answered(B, answer(NodeRole.REPLICA, 1, 5000, Duration.ofHours(2)), nanoTime);
        assertThat(status(B).state()).isEqualTo(NodeState.HEALTHY);
        assertThat(status(B).lag()).isEqualTo(Duration.ofSeconds(5));
    }

    @Test
    void replicaThatHasAppliedNothingYetIsBehindSinceItWasHeardOf() {
        health.answered(A, answer(NodeRole.PRIMARY, 1, 5000, Duration.ZERO), ++nanoTime);
        health.answered(B, answer(NodeRole.REPLICA, 1, 1000, null), nanoTime);
        assertThat(status(B).lag()).isZero();
        nanoTime += Duration.ofSeconds(11).toNanos();
        health.answered(B, answer(NodeRole.REPLICA, 1, 1000, null), nanoTime);
        assertThat(status(B).lag()).isEqualTo(Duration.ofSeconds(11));
        assertThat(status(B).state()).isEqualTo(NodeState.LAGGING);
    }

    @Test
    void readsGoToNodesThatFollowTheLastTimeline() {
        primary(A, 1);
        replica(B);
        replica(C);
        assertThat(readable()).containsExactly(A, B, C);
        fail(A);
        primary(B, 2);
        assertThat(readable()).as("C follows nobody").containsExactly(B);
        assertThat(readableAtChange).as("when the writes had just gone to B").doesNotContain(C);
        health.answered(C, answer(NodeRole.REPLICA, 2, 1000, Duration.ZERO), ++nanoTime);
        assertThat(readable()).containsExactly(B, C);
        primary(A, 1);
        assertThat(readable()).as("A is fenced off").containsExactly(B, C);
        answer(C, 7, 2);
        assertThat(readable()).as("C is of another database cluster").containsExactly(B);
    }

    @Test
    void nodeThatCallsHaveTrippedStaysEjectedUntilItIsTriedAgain() {
        primary(A, 1);
        replica(B);
        health.tripped(B, true);
        replica(B);
        assertThat(status(B).state()).isEqualTo(NodeState.EJECTED);
        assertThat(events).containsExactly("b:5432 HEALTHY -> EJECTED");
        health.tripped(B, false);
        assertThat(status(B).state()).isEqualTo(NodeState.HEALTHY);
        health.tripped(B, false);
        assertThat(events).hasSize(2);
    }

    @Test
    void primaryThatCallsHaveTrippedKeepsItsWrites() {
        primary(A, 1);
        replica(B);
        replica(C);
        health.tripped(A, true);
        primary(A, 1);
        // A copy on the same timeline takes over from a primary that is gone, and this one is not.
        primary(B, 1);
        assertThat(status(A).state()).isEqualTo(NodeState.EJECTED);
        assertThat(table.primary(S0)).isEqualTo(A);
        assertThat(table.isEjected(A)).as("calls need not wait for another").isFalse();
        assertThat(shardStatus().writable()).isTrue();
        assertThat(status(A).errorRate()).isEqualTo(0.25);
        assertThat(status(A).connections().max()).isEqualTo(7);
        for (int probe = 0; probe < HealthSettings.DEFAULTS.failures(); probe++) {
            assertThat(table.isEjected(A)).isFalse();
            fail(A);
        }
        assertThat(table.isEjected(A)).isTrue();
        assertThat(shardStatus().writable()).isFalse();
        primary(A, 1);
        assertThat(status(A).state()).as("calls have not tried it again").isEqualTo(NodeState.EJECTED);
        assertThat(table.isEjected(A)).isFalse();
    }

    private List<NodeId> readableAtChange = List.of(C);

    private List<NodeId> readable() {
        return table.readTargets(S0).stream().map(ReadTarget::node).toList();
    }

    @Test
    void primaryServesWhenAllHaveBeenHeardOfOrItHasJustBeenPromoted() {
        primary(A, 1);
        replica(B);
        replica(C);
        long start = nanoTime + 1;
        long timeline = health.timeline();
        primary(A, 1);
        assertThat(health.serving(start, timeline))
                .as("another one may be later")
                .isNull();
        fail(B);
        assertThat(health.serving(start, timeline)).isNull();
        replica(C);
        assertThat(health.serving(start, timeline)).isEqualTo(A);

        start = nanoTime + 1;
        primary(B, 2);
        assertThat(health.serving(start, timeline)).isEqualTo(B);
    }

    @Test
    void shardIsWritableWithAPrimaryThatAnswers() {
        assertThat(shardStatus().writable()).as("as far as is known").isTrue();
        replica(A);
        assertThat(shardStatus().writable()).isFalse();
        primary(B, 2);
        assertThat(shardStatus().writable()).isTrue();
        assertThat(shardStatus().healthy()).isEqualTo(3);
        assertThat(health.describe()).contains("a:5432 (REPLICA, HEALTHY)").contains("b:5432 (PRIMARY, HEALTHY)");
    }

    private void primary(NodeId node, long timeline) {
        health.answered(node, answer(NodeRole.PRIMARY, timeline, 1000, Duration.ZERO), ++nanoTime);
    }

    private void answer(NodeId node, long system, long timeline) {
        health.answered(
                node,
                new ProbeAnswer(NodeRole.PRIMARY, system, timeline, 1000, Duration.ZERO, Duration.ofMillis(1)),
                ++nanoTime);
    }

    private void replica(NodeId node) {
        health.answered(node, answer(NodeRole.REPLICA, 1, 1000, Duration.ZERO), ++nanoTime);
    }

    private static ProbeAnswer answer(NodeRole role, long timeline, long position, Duration age) {
        return new ProbeAnswer(role, 42, timeline, position, age, Duration.ofMillis(1));
    }

    private void fail(NodeId node) {
        health.failed(node, new IOException("gone"), ++nanoTime);
    }

    private ShardStatus shardStatus() {
        return health.status(
                node -> node.equals(A) ? 0.25 : 0, node -> new PoolStatistics(7, 0, 0, 0, 0, 0, 0, 0, 0, Map.of()));
    }

    private NodeStatus status(NodeId node) {
        return shardStatus().nodes().stream()
                .filter(status -> status.node().equals(node))
                .findFirst()
                .orElseThrow();
    }

    private ClusterListener listener() {
        return new ClusterListener() {
            @Override
            public void stateChanged(NodeId node, NodeState before, NodeState after, String reason) {
                events.add(node.endpoint() + " " + before + " -> " + after);
            }

            @Override
            public void primaryChanged(ShardId shard, NodeId before, NodeId after, String reason) {
                events.add("primary " + before.endpoint() + " -> " + after.endpoint());
                readableAtChange = readable();
            }

            @Override
            public void fenced(NodeId node, String reason) {
                events.add("fenced " + node.endpoint());
            }
        };
    }
}
