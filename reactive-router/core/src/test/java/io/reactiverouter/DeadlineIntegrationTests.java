package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.acquired;
import static io.reactiverouter.TestClusters.awaitQuiet;
import static io.reactiverouter.TestClusters.number;
import static org.assertj.core.api.Assertions.assertThat;

import io.r2dbc.spi.Connection;
import io.reactiverouter.connection.CallTimeoutException;
import io.reactiverouter.connection.CallTimeoutException.Consequence;
import io.reactiverouter.connection.Deadline;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.order.SortKey;
import io.reactiverouter.scatter.FailurePolicy;
import io.reactiverouter.scatter.Gathered;
import io.reactiverouter.scatter.ShardOutcome;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.test.StepVerifier;

/** What a deadline in the context does to calls of all kinds, long before any other limit. */
@Tag("undisturbed")
@NullUnmarked
class DeadlineIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(2);

    private static final String APP = "deadline-tests";
    private static final Duration SHORT = Duration.ofMillis(300);
    private static final Duration LONG = Duration.ofSeconds(25);

    /** Far from the other limits, which are ten seconds and more. */
    private static final Duration SOON = Duration.ofSeconds(5);

    private static final Query SLEEP = Query.of("select pg_sleep(15)");

    private static ShardCluster cluster;
    private static ShardOperations shard;
    private static ShardRouter router;

    @BeforeAll
    static void open() {
        TestClusters.sql(
                SHARDS,
                "create table written (id bigint primary key); create table checked (id bigint primary key);"
                        + " create function slowly() returns trigger language plpgsql as"
                        + " $$ begin perform pg_sleep(15); return null; end $$;"
                        + " create constraint trigger late after insert on checked deferrable initially deferred"
                        + " for each row execute function slowly()");
        cluster = TestClusters.over(SHARDS, APP)
                .pool(PoolSettings.DEFAULTS.withMaxSize(1).withAcquireTimeout(Duration.ofSeconds(10)))
                .build();
        shard = cluster.shard(ShardId.of("s0"));
        router =
                cluster.router(Keyspace.named("ids").key("id").tables("written").strategy(ShardingStrategy.modulo()));
        // The limits of tests are for what they test.
        cluster.warmup().block(TIMEOUT);
    }

    @BeforeEach
    void empty() {
        TestClusters.sql(SHARDS, "truncate written");
        // Opening connections is not what the deadlines are about, but for the tests that open their own clusters.
        cluster.allShards().query(Query.of("select 1"), row -> 1).blockLast(TIMEOUT);
    }

    @AfterEach
    void nothingIsLeftBehind() {
        awaitQuiet(cluster, SHARDS, APP);
    }

    @AfterAll
    static void close() {
        cluster.close().block(TIMEOUT);
    }

    @ParameterizedTest
    @MethodSource("calls")
    void endsACall(Publisher<?> call) {
        verify(Flux.from(call).contextWrite(Deadline.within(SHORT)), Consequence.CANCELLED, SHORT);
    }

    static Stream<Arguments> calls() {
        return Stream.of(
                call("query", on -> on.query(SLEEP, row -> 1)),
                call("query with parameters", on -> on.query(Query.of("select pg_sleep($1)", 15), row -> 1)),
                call("queryOne", on -> on.queryOne(SLEEP, row -> 1)),
                call("update", on -> on.update(Query.of("insert into written select 1 from pg_sleep(15)"))),
                call("withConnection", on -> on.withConnection(SLEEP::update)),
                call(
                        "one with a longer limit of its own",
                        on -> on.timeout(LONG).queryOne(SLEEP, row -> 1)),
                call("scatter-gather", on -> cluster.allShards().query(SLEEP, row -> 1)),
                call(
                        "scatter-gather with a longer deadline of its own",
                        on -> cluster.allShards().deadline(LONG).query(SLEEP, row -> 1)),
                call(
                        "update on all shards",
                        on -> cluster.allShards().execute("insert into written select 1 from pg_sleep(15)")));
    }

    private static Arguments call(String name, Function<ShardOperations, Publisher<?>> call) {
        return Arguments.argumentSet(name, Flux.defer(() -> call.apply(shard)));
    }

    @Test
    void ownDeadlineOfAScatterGatherCountsIfItIsEarlier() {
        verify(
                cluster.allShards().deadline(SHORT).query(SLEEP, row -> 1).contextWrite(Deadline.within(LONG)),
                Consequence.CANCELLED,
                SHORT);
    }

    @Test
    void rowsOfSlowSubscribersEndToo() {
        Flux<Integer> rows = shard.query(Query.of("select i from generate_series(1, 100000) i"), row -> 1);
        StepVerifier.create(rows.contextWrite(Deadline.within(SHORT)), 1)
                .expectNextCount(1)
                .expectErrorSatisfies(error -> assertLate(error, Consequence.CANCELLED, SHORT))
                .verify(SOON);
    }

    @Test
    void innerDeadlineCanOnlyShorten() {
        Mono<Long> call = shard.update(SLEEP);
        verify(
                call.contextWrite(Deadline.within(LONG)).contextWrite(Deadline.within(SHORT)),
                Consequence.CANCELLED,
                SHORT);
        verify(
                call.contextWrite(Deadline.within(SHORT)).contextWrite(Deadline.within(LONG)),
                Consequence.CANCELLED,
                SHORT);
    }

    @Test
    void isOneBudgetForSeveralCallsAndTheirRetries() {
        Mono<Long> calls = shard.update(Query.of("select pg_sleep(0.2)"))
                .then(shard.update(Query.of("select 1/0")).retry(2).onErrorResume(error -> Mono.just(0L)))
                .then(shard.update(SLEEP));
        long start = System.nanoTime();
        verify(
                calls.contextWrite(Deadline.within(Duration.ofMillis(600))),
                Consequence.CANCELLED,
                Duration.ofMillis(600));
        assertThat(System.nanoTime() - start).isBetween(600_000_000L, SOON.toNanos());
    }

    @Test
    void transactionIsRolledBack() {
        verify(
                shard.inTransaction(connection -> insert(1).update(connection).then(SLEEP.update(connection)))
                        .contextWrite(Deadline.within(SHORT)),
                Consequence.ROLLED_BACK,
                SHORT);
        awaitQuiet(cluster, SHARDS, APP);
        assertThat(rows()).isZero();
    }

    /** The commit runs a trigger. */
    @Test
    void outcomeOfATransactionInItsCommitIsNotKnown() {
        verify(
                shard.inTransaction(connection ->
                                Query.of("insert into checked values (1)").update(connection))
                        .contextWrite(Deadline.within(SHORT)),
                Consequence.COMMIT_UNKNOWN,
                SHORT);
    }

    @Test
    void transactionIsNotCommittedAfterACallInsideWasLate() {
        Mono<Long> late = shard.update(Query.of("insert into written select 2 from pg_sleep(15)"))
                .contextWrite(Deadline.within(SHORT))
                .doOnError(error -> assertLate(error, Consequence.ROLLED_BACK, SHORT))
                .onErrorResume(CallTimeoutException.class, error -> Mono.just(0L));
        verify(
                shard.inTransaction(connection -> insert(1).update(connection).then(late)),
                Consequence.ROLLED_BACK,
                SHORT);
        awaitQuiet(cluster, SHARDS, APP);
        assertThat(rows()).isZero();
    }

    @Test
    void callInsideHasTheDeadlineOfItsTransaction() {
        verify(
                shard.inTransaction(connection -> shard.update(insert(1)).then(shard.update(SLEEP)))
                        .contextWrite(Deadline.within(SHORT)),
                Consequence.ROLLED_BACK,
                SHORT);
    }

    @Test
    void transactionOfSomebodyElseIsToBeRolledBack() {
        StepVerifier.create(Flux.usingWhen(
                                shard.connection(),
                                connection -> shard.update(SLEEP)
                                        .contextWrite(cluster.inTransactionOf(ShardId.of("s0"), Mono.just(connection))),
                                Connection::close)
                        .contextWrite(Deadline.within(SHORT)))
                .expectErrorSatisfies(error -> assertLate(error, Consequence.TO_ROLL_BACK, SHORT))
                .verify(SOON);
    }

    @ParameterizedTest
    @MethodSource("waiting")
    void callThatGetsNoConnectionHasNotRun(Publisher<?> call) {
        Sinks.Empty<Void> enough = Sinks.empty();
        Sinks.Empty<Void> held = Sinks.empty();
        Mono<Void> holder = shard.withConnection(connection -> {
            held.tryEmitEmpty();
            return enough.asMono();
        });
        holder.subscribe(none -> {}, error -> {});
        held.asMono().block(TIMEOUT);
        try {
            verify(Flux.from(call).contextWrite(Deadline.within(SHORT)), Consequence.NOT_RUN, SHORT);
            assertThat(cluster.poolStatistics(cluster.shards().get(0).primary().id())
                            .pending())
                    .as("callers that wait")
                    .isZero();
        } finally {
            enough.tryEmitEmpty();
        }
        awaitQuiet(cluster, SHARDS, APP);
        assertThat(rows()).isZero();
    }

    static Stream<Arguments> waiting() {
        return Stream.of(
                call("query", on -> on.query(SLEEP, row -> 1)),
                call("update", on -> on.update(insert(1))),
                call(
                        "inTransaction",
                        on -> on.inTransaction(connection -> insert(1).update(connection))),
                call("connection", ShardOperations::connection),
                call("connectionFactory", on -> Mono.from(on.connectionFactory().create())),
                call("audit", on -> router.audit().then()),
                call(
                        "ordered scatter-gather",
                        on -> cluster.allShards()
                                .orderBy(SortKey.asc("id"))
                                .query(Query.of("select id from written"), row -> 1)),
                call("scatter-gather", on -> cluster.allShards().query(Query.of("select id from written"), row -> 1)));
    }

    @ParameterizedTest
    @MethodSource("waiting")
    void callAfterTheDeadlineHasNotRun(Publisher<?> call) {
        shard.update(Query.of("select 1")).block(TIMEOUT);
        long before = lastStatement();

        verify(Flux.from(call).contextWrite(Deadline.within(Duration.ZERO)), Consequence.NOT_RUN, Duration.ZERO);

        assertThat(acquired(cluster)).isZero();
        assertThat(lastStatement()).as("time of the last statement").isEqualTo(before);
        assertThat(rows()).isZero();
    }

    private static long lastStatement() {
        return number(
                SHARDS.node(0),
                "select extract(epoch from max(query_start)) * 1000000 from pg_stat_activity where application_name = '"
                        + APP + "'");
    }

    @Test
    void callInsideATransactionAfterTheDeadlineSendsNothing() {
        Mono<Long> over = shard.update(insert(2))
                .contextWrite(Deadline.within(Duration.ZERO))
                .onErrorResume(CallTimeoutException.class, error -> Mono.just(0L));
        verify(
                shard.inTransaction(connection -> insert(1).update(connection).then(over)),
                Consequence.ROLLED_BACK,
                Duration.ZERO);
        awaitQuiet(cluster, SHARDS, APP);
        assertThat(rows()).isZero();
    }

    @Test
    void bestEffortSaysWhichShardsWereLate() {
        List<ShardOutcome> outcomes = cluster.allShards()
                .onFailure(FailurePolicy.BEST_EFFORT)
                .gather(
                        Query.of("select case current_setting('port')::int when "
                                + SHARDS.node(0).port() + " then pg_sleep(15)::text else 'ready' end"),
                        row -> row.get(0, String.class))
                .contextWrite(Deadline.within(SHORT))
                .ofType(Gathered.Manifest.class)
                .blockLast(SOON)
                .manifest()
                .outcomes();

        assertThat(outcomes.get(0)).isInstanceOf(ShardOutcome.TimedOut.class);
        assertThat(outcomes.get(1)).isInstanceOf(ShardOutcome.Complete.class);
    }

    private static Query insert(long id) {
        return Query.of("insert into written values ($1)", id);
    }

    private static long rows() {
        return number(SHARDS.node(0), "select count(*) from written");
    }

    private static void verify(Publisher<?> call, Consequence consequence, Duration limit) {
        StepVerifier.create(call)
                .expectErrorSatisfies(error -> assertLate(error, consequence, limit))
                .verify(SOON);
    }

    private static void assertLate(Throwable error, Consequence consequence, Duration limit) {
        assertThat(error).isInstanceOfSatisfying(CallTimeoutException.class, late -> {
            assertThat(late.consequence()).isEqualTo(consequence);
            assertThat(late.timeout()).isEqualTo(limit);
            assertThat(late).hasMessageContaining("shard " + late.shard());
        });
    }
}
