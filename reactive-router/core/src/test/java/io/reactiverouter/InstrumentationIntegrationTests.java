package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.shardsOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.observation.CallInfo;
import io.reactiverouter.observation.CallInstrumentation;
import io.reactiverouter.observation.CallKind;
import io.reactiverouter.observation.CallProgress;
import io.reactiverouter.observation.NodeCall;
import io.reactiverouter.order.SortKey;
import io.reactiverouter.scatter.FailurePolicy;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.ShardId;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What whoever watches calls gets to see. */
@NullUnmarked
class InstrumentationIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(2);

    private static final Keyspace KEYSPACE =
            Keyspace.named("trading").key("user_id").tables("watched").strategy(ShardingStrategy.modulo());
    private static final String ONE = "select 1::bigint as n";

    private final Queue<String> seen = new ConcurrentLinkedQueue<>();
    private final ShardCluster cluster = ShardCluster.builder()
            .shards(shardsOf(SHARDS))
            .instrumentation(CallInstrumentation.of(List.of(CallInstrumentation.NONE, new Noting("outer"))))
            .build();
    private final ShardRouter trading = cluster.router(KEYSPACE);

    @AfterEach
    void close() {
        cluster.close().block(TIMEOUT);
    }

    /** Notes what begins and how it ends, and hands the name of its call down in the context. */
    private final class Noting implements CallInstrumentation {

        private final String name;

        Noting(String name) {
            this.name = name;
        }

        @Override
        public <T> Flux<T> call(CallInfo call, Flux<T> answer) {
            String what = name + " " + call.kind() + " " + call.operation() + " " + call.keyspace() + " " + call.sql();
            CallProgress progress = new CallProgress() {
                @Override
                public void asking(int shards) {
                    seen.add(name + " asks " + shards);
                }

                @Override
                public void tolerated(ShardId shard, Throwable failure) {
                    seen.add(name + " without " + shard);
                }
            };
            return Flux.defer(() -> {
                        seen.add(what);
                        return answer;
                    })
                    .doOnComplete(() -> seen.add(name + " complete"))
                    .doOnError(error -> seen.add(name + " error"))
                    .doOnCancel(() -> seen.add(name + " cancel"))
                    .contextWrite(context -> progress.in(context).put("call", name));
        }

        @Override
        public <T> Flux<T> attempt(NodeCall attempt, Flux<T> answer) {
            return Flux.deferContextual(context -> {
                        seen.add(name + " " + attempt.role() + " of "
                                + attempt.node().shard() + " for " + context.get("call"));
                        return answer;
                    })
                    .doOnError(error -> seen.add(name + " attempt error"))
                    .doOnCancel(() -> seen.add(name + " attempt cancel"));
        }
    }

    @Test
    void callForOneShard() {
        trading.shard(ShardKey.of(3L))
                .queryOne(Query.of(ONE), row -> row.get(0, Long.class))
                .block(TIMEOUT);
        assertThat(seen)
                .containsExactly(
                        "outer SINGLE query trading " + ONE, "outer PRIMARY of s1 for outer", "outer complete");
    }

    @Test
    void operationsHaveNames() {
        ShardOperations shard = cluster.shard(ShardId.of("s0"));
        shard.update(Query.of("set work_mem = '5MB'")).block(TIMEOUT);
        shard.batch("select $1::bigint", List.of(new Object[] {1L}, new Object[] {2L}))
                .block(TIMEOUT);
        shard.inTransaction(connection -> Query.of(ONE).update(connection)).block(TIMEOUT);
        shard.inTransactionMany(
                        TransactionOptions.DEFAULTS, connection -> Query.of(ONE).update(connection))
                .blockLast(TIMEOUT);
        shard.withConnection(connection -> Query.of(ONE).update(connection)).block(TIMEOUT);
        assertThat(seen)
                .filteredOn(what -> what.contains("SINGLE"))
                .containsExactly(
                        "outer SINGLE update null set work_mem = '5MB'",
                        "outer SINGLE batch null select $1::bigint",
                        "outer SINGLE transaction null null",
                        "outer SINGLE transaction null null",
                        "outer SINGLE connection null null");
        assertThat(seen).filteredOn(what -> what.contains("PRIMARY")).hasSize(5);
        assertThat(seen).filteredOn("outer complete"::equals).hasSize(5);
    }

    @Test
    void statementInATransactionIsACallWithoutAnAttempt() {
        ShardOperations shard = trading.shard(ShardKey.of(2L));
        shard.inTransaction(connection -> shard.update(Query.of(ONE)).then()).block(TIMEOUT);
        assertThat(seen)
                .containsExactly(
                        "outer SINGLE transaction trading null",
                        "outer PRIMARY of s0 for outer",
                        "outer SINGLE update trading " + ONE,
                        "outer complete",
                        "outer complete");
    }

    @Test
    void failureAndCancelAreSeen() {
        assertThatThrownBy(() -> trading.shard(ShardKey.of(2L))
                        .update(Query.of("select 1/0"))
                        .block(TIMEOUT))
                .isInstanceOf(R2dbcException.class);
        assertThat(seen)
                .containsExactly(
                        "outer SINGLE update trading select 1/0",
                        "outer PRIMARY of s0 for outer",
                        "outer attempt error",
                        "outer error");
        seen.clear();
        trading.shard(ShardKey.of(2L))
                .query(
                        Query.of("select generate_series(1, 100000)::bigint").fetchSize(10),
                        row -> row.get(0, Long.class))
                .take(3)
                .blockLast(TIMEOUT);
        assertThat(seen).contains("outer cancel", "outer attempt cancel");
    }

    @Test
    void eachShardOfAScatterIsAnAttempt() {
        trading.allShards()
                .orderBy(SortKey.asc("n"))
                .query(Query.of(ONE), row -> row.get(0, Long.class))
                .blockLast(TIMEOUT);
        assertThat(seen)
                .startsWith("outer SCATTER query trading " + ONE, "outer asks 2")
                .contains("outer PRIMARY of s0 for outer", "outer PRIMARY of s1 for outer")
                .endsWith("outer complete");
    }

    @Test
    void shardThatIsLeftOutIsTold() {
        Query failsOnOne =
                Query.of("select 1 / (inet_server_port() - " + SHARDS.node(0).port() + ")::bigint");
        Long rows = trading.allShards()
                .onFailure(FailurePolicy.BEST_EFFORT)
                .query(failsOnOne, row -> row.get(0, Long.class))
                .count()
                .block(TIMEOUT);
        assertThat(rows).isEqualTo(1);
        assertThat(seen).contains("outer without s0").doesNotContain("outer without s1");
    }

    @Test
    void severalWatchOneAroundTheOther() {
        CallInstrumentation two = CallInstrumentation.of(List.of(new Noting("outer"), new Noting("inner")));
        two.call(new CallInfo(null, CallKind.SINGLE, "x", null), Mono.empty().flux())
                .blockLast(TIMEOUT);
        assertThat(seen)
                .containsExactly(
                        "outer SINGLE x null null", "inner SINGLE x null null", "inner complete", "outer complete");
        assertThat(CallInstrumentation.of(List.of())).isSameAs(CallInstrumentation.NONE);
    }
}
