package io.reactiverouter.failover;

import static org.assertj.core.api.Assertions.assertThat;

import io.r2dbc.spi.R2dbcNonTransientResourceException;
import io.reactiverouter.routing.PrimaryFinder;
import io.reactiverouter.routing.RoutingTable;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.test.scheduler.VirtualTimeScheduler;

/** Calls that end in another state of the breaker than they began in; breakers before real servers are in ReplicaReadsIntegrationTests. */
@NullUnmarked
class BreakersTests {

    private static final NodeId NODE = new NodeId(ShardId.of("s0"), "a:5432");

    private final List<String> events = new ArrayList<>();
    private VirtualTimeScheduler time;
    private Breakers breakers;

    @BeforeEach
    void make() {
        time = VirtualTimeScheduler.getOrSet();
        breakers = new Breakers(
                new RoutingTable(List.of(Shard.named("s0").primary("r2dbc:postgresql://u@a/db"))), new Finder());
    }

    @AfterEach
    void realTime() {
        VirtualTimeScheduler.reset();
    }

    @Test
    void answerToACallFromBeforeIsNoTrial() {
        List<Sinks.One<Integer>> late = begin(3);
        open();
        late.forEach(answer -> answer.tryEmitValue(1).orThrow());
        assertThat(trials()).as("all three are still to be had").isEqualTo(3);
        assertThat(events).containsExactly("open", "tried");
    }

    @Test
    void failureOfACallFromBeforeIsNoTrial() {
        List<Sinks.One<Integer>> late = begin(3);
        open();
        late.forEach(answer -> answer.tryEmitError(new R2dbcNonTransientResourceException("reset", "08006"))
                .orThrow());
        List<Sinks.One<Integer>> trials = begin(3);
        assertThat(trials).hasSize(3);
        trials.forEach(answer -> answer.tryEmitValue(1).orThrow());
        assertThat(breakers.errorRate(NODE)).isZero();
        assertThat(events).as("open once only").containsExactly("open", "tried", "tried");
    }

    @Test
    void callsFromBeforeGiveNobodyATrial() {
        List<Sinks.One<Integer>> late = begin(3);
        open();
        late.forEach(answer -> answer.tryEmitError(new IllegalStateException("the caller's own"))
                .orThrow());
        assertThat(trials()).isEqualTo(3);
    }

    @Test
    void trialsThatFailOpenItAgain() {
        open();
        begin(3).forEach(answer -> answer.tryEmitError(new R2dbcNonTransientResourceException("reset", "08006"))
                .orThrow());
        assertThat(trials()).isZero();
        assertThat(events).containsExactly("open", "tried", "open");
        time.advanceTimeBy(Duration.ofSeconds(5));
        assertThat(events).containsExactly("open", "tried", "open", "tried");
    }

    @Test
    void trialThatSaysNothingOfTheNodeIsGivenBack() {
        open();
        begin(3).forEach(answer -> answer.tryEmitError(new IllegalStateException("the caller's own"))
                .orThrow());
        assertThat(trials()).isEqualTo(3);
    }

    @Test
    void failureIsForgottenWhenTwentyCallsHaveSucceededSince() {
        succeed(100);
        fail(1);
        assertThat(breakers.errorRate(NODE)).isEqualTo(1 / 20.0);
        succeed(19);
        assertThat(breakers.errorRate(NODE)).isEqualTo(1 / 20.0);
        succeed(1);
        assertThat(breakers.errorRate(NODE)).isZero();
    }

    @Test
    void halfOfTheLastTwentyCountsHoweverManySucceededBefore() {
        succeed(100);
        fail(9);
        succeed(10);
        assertThat(events).isEmpty();
        fail(1);
        assertThat(events).as("10 of the last 20").containsExactly("open");
    }

    @Test
    void breakerThatHasClosedCountsFromTheStart() {
        succeed(100);
        fail(10);
        time.advanceTimeBy(Duration.ofSeconds(5));
        succeed(3);
        assertThat(events).as("closed after three trials").containsExactly("open", "tried", "tried");
        succeed(30);
        fail(10);
        assertThat(events).containsExactly("open", "tried", "tried", "open");
    }

    private void succeed(int count) {
        end(count, answer -> answer.tryEmitValue(1).orThrow());
    }

    private void fail(int count) {
        end(
                count,
                answer -> answer.tryEmitError(new R2dbcNonTransientResourceException("reset", "08006"))
                        .orThrow());
    }

    /** One after the other. */
    private void end(int count, Consumer<Sinks.One<Integer>> end) {
        for (int i = 0; i < count; i++) {
            List<Sinks.One<Integer>> begun = begin(1);
            assertThat(begun).as("permitted").hasSize(1);
            begun.forEach(end);
        }
    }

    /** Lets half of the last calls fail, and waits until the node is tried again. */
    private void open() {
        begin(10)
                .forEach(answer -> answer.tryEmitError(new R2dbcNonTransientResourceException("reset", "08006"))
                        .orThrow());
        assertThat(events).containsExactly("open");
        time.advanceTimeBy(Duration.ofSeconds(5));
        assertThat(events).containsExactly("open", "tried");
    }

    /** Begins as many calls as are permitted, up to {@code count}. */
    private List<Sinks.One<Integer>> begin(int count) {
        List<Sinks.One<Integer>> begun = new ArrayList<>();
        for (int i = 0; i < count && breakers.permits(NODE); i++) {
            Sinks.One<Integer> answer = Sinks.one();
            breakers.watchPermitted(NODE, answer.asMono().flux()).subscribe(value -> {}, error -> {});
            begun.add(answer);
        }
        return begun;
    }

    private int trials() {
        return begin(100).size();
    }

    private final class Finder implements PrimaryFinder {

        @Override
        public void tripped(NodeId node, boolean open) {
            events.add(open ? "open" : "tried");
        }

        @Override
        public void suspect(NodeId node) {}

        @Override
        public Mono<NodeId> primary(ShardId shard) {
            return Mono.never();
        }

        @Override
        public Mono<Boolean> servesWrites(NodeId node) {
            return Mono.never();
        }

        @Override
        public Mono<Void> verify(ShardId shard) {
            return Mono.empty();
        }

        @Override
        public String describe(ShardId shard) {
            return "";
        }
    }
}
