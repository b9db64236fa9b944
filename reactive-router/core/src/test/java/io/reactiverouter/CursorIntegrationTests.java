package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.ResourceLeakDetector;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Result.RowSegment;
import io.r2dbc.spi.Statement;
import io.reactiverouter.test.ShardsExtension;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;

/** Cursors whose reader does not want all results, or all rows, or comes late. */
@NullUnmarked
class CursorIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(1);

    private static final String APP = "cursor-tests";

    @RegisterExtension
    final OneConnection one = new OneConnection(SHARDS, APP);

    private ShardOperations shard;

    @BeforeEach
    void open() {
        shard = one.shard();
    }

    /** The cursor would have two thousand million rows. */
    @ParameterizedTest
    @CsvSource({"true, true", "true, false", "false, true", "false, false"})
    void commitDoesNotReadACursorToItsEnd(boolean bound, boolean segments) throws Exception {
        noLeaks(() -> {
            Waiting<Integer> waiting = new Waiting<>();
            assertThat(shard.inTransaction(connection -> {
                                Flux.from(endless(connection, bound)
                                                .fetchSize(10)
                                                .execute())
                                        .flatMap(result -> segments
                                                ? result.flatMap(segment -> Mono.just(1))
                                                : result.map(row -> 1))
                                        .subscribe(waiting);
                                return Mono.delay(Duration.ofMillis(50)).thenReturn("done");
                            })
                            .block(Duration.ofSeconds(2)))
                    .isEqualTo("done");
            assertThat(waiting.end.asMono().block(TIMEOUT)).isInstanceOf(IllegalStateException.class);
        });
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void commitDoesNotReadACursorThatNobodyReads(boolean bound) throws Exception {
        noLeaks(() -> assertThat(shard.inTransaction(connection -> Mono.from(
                                        endless(connection, bound).fetchSize(10).execute())
                                .thenReturn("done"))
                        .block(Duration.ofSeconds(2)))
                .isEqualTo("done"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void readerWhoLeavesACursorLeavesTheRestOnTheServer(boolean bound) throws Exception {
        noLeaks(() -> StepVerifier.create(shard.inTransaction(connection -> Mono.from(
                                endless(connection, bound).fetchSize(10).execute())
                        .flatMapMany(result -> Flux.from(result.map(row -> row.get(0, Integer.class)))
                                .take(25))
                        .collectList()
                        .flatMap(rows -> Query.of("select 1")
                                .fetch(connection, row -> rows.size())
                                .single())))
                .expectNext(25)
                .expectComplete()
                .verify(TIMEOUT));
    }

    private static Statement endless(Connection connection, boolean bound) {
        return bound
                ? connection.createStatement("select generate_series(1, $1)").bind(0, 2_000_000_000)
                : connection.createStatement("select generate_series(1, 2000000000)");
    }

    /** The driver alone ends it after the first portion. */
    @Test
    void cursorOfOneWhoWantsNoMoreResultsIsWhole() {
        assertThat(shard.withConnectionMany(connection -> Mono.from(connection
                                        .createStatement("select generate_series(1, 5000)")
                                        .fetchSize(100)
                                        .execute())
                                .flatMapMany(result -> result.map(row -> 1)))
                        .count()
                        .block(TIMEOUT))
                .isEqualTo(5_000);
    }

    /** The driver alone waits for the end of the first result, which nobody sees, before it sends what is next. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void readerOfTheFirstRowOfEachSetOfParametersGetsThem(boolean segments) throws Exception {
        noLeaks(() -> StepVerifier.create(shard.inTransactionMany(
                        TransactionOptions.DEFAULTS,
                        connection -> Flux.from(connection
                                        .createStatement("select $1::int + i from generate_series(0, 1) i")
                                        .bind(0, 10)
                                        .add()
                                        .bind(0, 20)
                                        .add()
                                        .bind(0, 30)
                                        .execute())
                                .concatMap(result -> segments
                                        ? Mono.from(result.flatMap(segment -> segment instanceof RowSegment row
                                                ? Mono.just(row.row().get(0, Integer.class))
                                                : Mono.empty()))
                                        : Mono.from(result.map(row -> row.get(0, Integer.class))))))
                .expectNext(10, 20, 30)
                .expectComplete()
                .verify(Duration.ofSeconds(5)));
    }

    /** What comes after its rows does not pass its filter. */
    @Test
    void readerOfSegmentsWhoMissesNoneIsNotRefused() {
        assertThatItIsWholeWhenTheWorkEndsWithItsRow(connection -> Flux.from(connection
                        .createStatement("select $1::int")
                        .bind(0, 7)
                        .fetchSize(1)
                        .execute())
                .flatMap(result -> result.filter(RowSegment.class::isInstance).flatMap(segment -> Mono.just(7))));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void nextStatementDoesNotWaitBehindACursorThatNobodyReads(boolean bound) throws Exception {
        noLeaks(() -> StepVerifier.create(shard.inTransaction(connection -> Mono.from(
                                endless(connection, bound).fetchSize(1_000).execute())
                        .hasElement()
                        .then(Query.of("select 1").fetch(connection, row -> 1).single())))
                .expectNext(1)
                .expectComplete()
                .verify(TIMEOUT));
    }

    /** Of two, and the other has been read when its subscriber leaves. */
    @Test
    void nextStatementDoesNotWaitBehindOneOfTwoCursors() throws Exception {
        noLeaks(() -> StepVerifier.create(shard.inTransaction(connection -> {
                    BaseSubscriber<Result> first = new Waiting<>() {
                        @Override
                        protected void hookOnNext(Result result) {
                            Flux.from(result.map(row -> 1)).subscribe();
                        }
                    };
                    Flux.from(connection
                                    .createStatement("select 1")
                                    .fetchSize(10)
                                    .execute())
                            .subscribe(first);
                    return Mono.from(endless(connection, false).fetchSize(1_000).execute())
                            .doOnNext(unread -> first.cancel())
                            .hasElement()
                            .then(Query.of("select 1")
                                    .fetch(connection, row -> 1)
                                    .single());
                }))
                .expectNext(1)
                .expectComplete()
                .verify(TIMEOUT));
    }

    /** The statement behind it was sent before it was left. */
    @Test
    void resultThatIsLeftWhileAnotherIsHandedOutCanStillBeRead() {
        StepVerifier.create(shard.withConnectionMany(connection -> {
                    AtomicReference<Result> held = new AtomicReference<>();
                    BaseSubscriber<Result> first = new Waiting<>() {
                        @Override
                        protected void hookOnNext(Result result) {
                            held.set(result);
                        }
                    };
                    Flux.from(connection
                                    .createStatement("select 1")
                                    .fetchSize(10)
                                    .execute())
                            .subscribe(first);
                    return Mono.from(connection
                                    .createStatement("select 2")
                                    .fetchSize(10)
                                    .execute())
                            .doOnNext(second -> {
                                Query.of("select 3").update(connection).subscribe();
                                first.cancel();
                            })
                            .flatMapMany(second -> Flux.concat(
                                    second.map(row -> row.get(0, Integer.class)),
                                    Flux.defer(() -> held.get().map(row -> row.get(0, Integer.class)))));
                }))
                .expectNext(2, 1)
                .expectComplete()
                .verify(Duration.ofSeconds(5));
    }

    @Test
    void cursorThatIsReadAfterTheNextStatementIsRefused() {
        StepVerifier.create(shard.withConnectionMany(connection -> Mono.from(
                                endless(connection, false).fetchSize(10).execute())
                        .delayUntil(result -> Query.of("select 1").update(connection))
                        .flatMapMany(result -> result.map(row -> 1))))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("dropped when the next statement was sent"))
                .verify(TIMEOUT);
    }

    /** The driver makes another one when it closes the cursor. */
    @Test
    void cursorHasOneResult() {
        assertThatItIsWholeWhenTheWorkEndsWithItsRow(connection -> Flux.from(
                        connection.createStatement("select 7").fetchSize(10).execute())
                .concatMap(result -> result.map(row -> row.get(0, Integer.class))));
        assertThat(shard.withConnectionMany(connection -> Flux.from(connection
                                        .createStatement("select generate_series(1, 5000)")
                                        .fetchSize(100)
                                        .execute())
                                .concatMap(result ->
                                        Flux.from(result.map(row -> 1)).count()))
                        .collectList()
                        .block(TIMEOUT))
                .containsExactly(5_000L);
    }

    /** The driver alone cuts it off. */
    @Test
    void firstResultOfSeveralSetsOfParametersIsWhole() {
        assertThat(shard.withConnectionMany(connection -> Flux.from(connection
                                        .createStatement("select generate_series(1, $1)")
                                        .bind(0, 5_000)
                                        .add()
                                        .bind(0, 1)
                                        .fetchSize(10)
                                        .execute())
                                .take(1)
                                .flatMap(result -> result.map(row -> 1)))
                        .count()
                        .block(TIMEOUT))
                .isEqualTo(5_000);
    }

    @Test
    void cursorsThatAreSentTogetherAreReadOneAfterTheOther() {
        StepVerifier.create(shard.withConnectionMany(connection -> Mono.zip(
                                Mono.from(connection
                                        .createStatement("select 1")
                                        .fetchSize(10)
                                        .execute()),
                                Mono.from(connection
                                        .createStatement("select 2")
                                        .fetchSize(10)
                                        .execute()))
                        .flatMapMany(both -> Flux.concat(
                                both.getT1().map(row -> row.get(0, Integer.class)),
                                both.getT2().map(row -> row.get(0, Integer.class))))))
                .expectNext(1, 2)
                .expectComplete()
                .verify(TIMEOUT);
    }

    /** The thread that subscribes is still sending when the first results come. */
    @Test
    void cursorsThatAreSentWhileOthersAreHandedOutAreAllRead() {
        for (int round = 0; round < 20; round++) {
            assertThat(shard.connection()
                            .publishOn(Schedulers.parallel())
                            .flatMapMany(connection -> Flux.range(0, 200)
                                    .flatMap(i -> Mono.from(connection
                                                    .createStatement("select " + i)
                                                    .fetchSize(10)
                                                    .execute())
                                            .flatMapMany(result -> result.map(row -> row.get(0, Integer.class))))
                                    .concatWith(Mono.from(connection.close()).then(Mono.empty())))
                            .count()
                            .block(TIMEOUT))
                    .isEqualTo(200);
        }
    }

    /** The driver wraps it where it cuts the answer into results. */
    @ParameterizedTest
    @ValueSource(ints = {0, 10, 1_024})
    void errorAmongTheRowsOfAQueryIsTheServers(int portion) {
        StepVerifier.create(shard.query(
                                Query.of("select 1 / (1000 - i) from generate_series(1, 5000) i")
                                        .fetchSize(portion),
                                row -> 1)
                        .then())
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOfSatisfying(
                                R2dbcException.class,
                                failure -> assertThat(failure.getSqlState()).isEqualTo("22012")))
                .verify(TIMEOUT);
        StepVerifier.create(shard.withConnectionMany(connection -> Mono.from(connection
                                        .createStatement("select 1 / (1000 - i) from generate_series(1, 5000) i")
                                        .fetchSize(portion)
                                        .execute())
                                .flatMapMany(result -> result.map(row -> 1)))
                        .then())
                .expectErrorSatisfies(error -> assertThat(error).isInstanceOf(R2dbcException.class))
                .verify(TIMEOUT);
    }

    @Test
    void statementsInOneTextKeepTheirResults() {
        assertThat(shard.withConnectionMany(connection -> Flux.from(connection
                                        .createStatement("select 1; select 2")
                                        .add()
                                        .fetchSize(10)
                                        .execute())
                                .concatMap(result -> result.map(row -> row.get(0, Integer.class))))
                        .collectList()
                        .block(TIMEOUT))
                .containsExactly(1, 2);
    }

    private void assertThatItIsWholeWhenTheWorkEndsWithItsRow(Function<Connection, Flux<Integer>> seven) {
        for (int i = 0; i < 20; i++) {
            StepVerifier.create(shard.connection()
                            .flatMapMany(connection -> seven.apply(connection)
                                    .concatMap(
                                            row -> Mono.from(connection.close()).thenReturn(row))))
                    .expectNext(7)
                    .expectComplete()
                    .verify(TIMEOUT);
        }
    }

    private static void noLeaks(NettyLeaks.Work work) throws Exception {
        NettyLeaks.assertNone(ResourceLeakDetector.Level.PARANOID, work);
    }
}
