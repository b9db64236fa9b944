package io.reactiverouter.demo.console;

import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.observation.CallInfo;
import io.reactiverouter.observation.CallKind;
import io.reactiverouter.observation.CallProgress;
import io.reactiverouter.observation.NodeCall;
import io.reactiverouter.spring.autoconfigure.ReactiveRouterObservabilityProperties;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.NodeRole;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.test.StepVerifier;

class LatestCallsTests {

    private static final Duration LIMIT = Duration.ofSeconds(5);
    private static final String SQL = "select " + "x".repeat(1_000);

    private final LatestCalls latest = calls(false);

    private static LatestCalls calls(boolean showSql) {
        return new LatestCalls(new ReactiveRouterObservabilityProperties(null, showSql, Duration.ZERO, true));
    }

    private static CallInfo info(String operation) {
        return new CallInfo("trading", CallKind.SCATTER, operation, SQL);
    }

    private static Flux<Integer> on(LatestCalls calls, String shard, Flux<Integer> answer) {
        return calls.attempt(new NodeCall(new NodeId(ShardId.of(shard), "db:5432"), NodeRole.PRIMARY), answer);
    }

    @Test
    void callHasTheShardsThatItAsked() {
        latest.call(info("gather"), Flux.merge(on(latest, "s1", Flux.just(1)), on(latest, "s0", Flux.just(2))))
                .blockLast(LIMIT);

        EndedCall ended = latest.calls().get(0);
        assertThat(ended.shards()).containsExactly("s0", "s1");
        assertThat(ended.outcome()).isEqualTo("success");
        assertThat(ended.kind()).isEqualTo("scatter");
        assertThat(latest.failures()).isEmpty();
    }

    @Test
    void cancelledCallIsNoFailure() {
        StepVerifier.create(latest.call(info("query"), Flux.<Integer>never()))
                .thenCancel()
                .verify(LIMIT);

        assertThat(latest.calls()).extracting(EndedCall::outcome).containsExactly("cancelled");
        assertThat(latest.failures()).isEmpty();
    }

    @Test
    void failuresStayWhenManyGoodCallsFollow() {
        StepVerifier.create(latest.call(info("query"), Flux.error(new IllegalStateException("secret-4711"))))
                .expectError()
                .verify(LIMIT);
        IntStream.range(0, 100)
                .forEach(i -> latest.call(info("update"), Flux.just(i)).blockLast(LIMIT));

        assertThat(latest.calls()).hasSize(12).extracting(EndedCall::operation).containsOnly("update");
        assertThat(latest.failures()).hasSize(1);
        assertThat(latest.failures().get(0).error()).isEqualTo("IllegalStateException");
        assertThat(latest.failures().toString()).doesNotContain("secret-4711");
    }

    @Test
    void callThatWentOnWithoutAShardIsPartialAndAFailureToo() {
        latest.call(info("gather"), Flux.deferContextual(context -> {
                    CallProgress.of(context).tolerated(ShardId.of("s1"), new IllegalStateException());
                    return Flux.just(1);
                }))
                .blockLast(LIMIT);

        assertThat(latest.failures()).extracting(EndedCall::outcome).containsExactly("partial");
    }

    @Test
    void callsOfTheConsoleItselfAreNotShown() {
        latest.call(info("gather"), on(latest, "s0", Flux.just(1)))
                .contextWrite(LatestCalls::unseen)
                .blockLast(LIMIT);

        assertThat(latest.calls()).isEmpty();
    }

    @Test
    void statementsAreShownOnlyWhereTheyAreAskedForAndNotWhole() {
        LatestCalls showing = calls(true);
        for (LatestCalls calls : List.of(latest, showing)) {
            calls.call(info("query"), Flux.just(1)).blockLast(LIMIT);
        }

        assertThat(latest.calls().get(0).sql()).isNull();
        assertThat(showing.calls().get(0).sql())
                .startsWith("select xxx")
                .endsWith("...")
                .hasSize(303);
    }
}
