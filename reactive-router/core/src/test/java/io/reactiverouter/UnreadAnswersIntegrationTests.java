package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.await;
import static io.reactiverouter.TestClusters.number;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.ResourceLeakDetector;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.R2dbcBadGrammarException;
import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.Readable;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Result.RowSegment;
import io.r2dbc.spi.Row;
import io.r2dbc.spi.Statement;
import io.reactiverouter.routing.ReadYourWrites;
import io.reactiverouter.test.ShardsExtension;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import org.slf4j.LoggerFactory;
import reactor.core.Disposable;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Hooks;
import reactor.core.publisher.Mono;
import reactor.core.publisher.SignalType;
import reactor.core.publisher.Sinks;
import reactor.test.StepVerifier;

/** Answers that their reader does not read to the end: because it fails, or waits, or has gone. */
@NullUnmarked
class UnreadAnswersIntegrationTests {

    /** Less than a pool waits for answers that do not come. */
    private static final Duration AT_ONCE = Duration.ofSeconds(3);

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(1);

    private static final String APP = "unread-tests";

    /** More than the driver holds. */
    private static final String ROWS = "select i from generate_series(1, 5000) i";

    @RegisterExtension
    final OneConnection one = new OneConnection(SHARDS, APP);

    private ShardOperations shard;

    @BeforeEach
    void open() {
        shard = one.shard();
    }

    private void warm() {
        shard.update(Query.of("select 1")).block(TIMEOUT);
    }

    private static long session() {
        return number(SHARDS.node(0), "select pid from pg_stat_activity where application_name = '" + APP + "'");
    }

    private static int failsAtTheTenth(AtomicInteger count) {
        if (count.incrementAndGet() == 10) {
            throw new IllegalArgumentException("bad row");
        }
        return count.get();
    }

    private static Flux<Integer> read(
            ShardOperations shard, boolean bound, Function<Result, ? extends Publisher<Integer>> reader) {
        return shard.withConnectionMany(connection -> Flux.from(
                        bound
                                ? connection
                                        .createStatement("select i from generate_series(1, $1) i")
                                        .bind(0, 5_000)
                                        .execute()
                                : connection.createStatement(ROWS).execute())
                .concatMap(reader));
    }

    static Stream<Arguments> failingReaders() {
        return Stream.of(
                reader(
                        "rows of a query",
                        (shard, count) -> shard.query(Query.of(ROWS).fetchSize(0), row -> failsAtTheTenth(count))),
                reader(
                        "rows of a cursor",
                        (shard, count) -> shard.query(Query.of(ROWS), row -> failsAtTheTenth(count))),
                reader(
                        "rows of a query with parameters",
                        (shard, count) -> shard.query(
                                Query.of("select i from generate_series(1, $1) i", 5_000)
                                        .fetchSize(0),
                                row -> failsAtTheTenth(count))),
                reader(
                        "segments",
                        (shard, count) -> read(
                                shard, false, result -> result.flatMap(segment -> Mono.just(failsAtTheTenth(count))))),
                reader(
                        "segments of a statement with parameters",
                        (shard, count) -> read(
                                shard, true, result -> result.flatMap(segment -> Mono.just(failsAtTheTenth(count))))),
                reader(
                        "what becomes of segments",
                        (shard, count) -> read(
                                shard,
                                false,
                                result -> result.flatMap(segment -> Mono.fromCallable(() -> failsAtTheTenth(count))))),
                reader(
                        "filter",
                        (shard, count) -> read(
                                shard,
                                false,
                                result -> result.filter(segment -> failsAtTheTenth(count) > 0)
                                        .map((row, metadata) -> 1))),
                reader(
                        "filter of a statement with parameters",
                        (shard, count) -> read(
                                shard,
                                true,
                                result -> result.filter(segment -> failsAtTheTenth(count) > 0)
                                        .map((row, metadata) -> 1))),
                reader(
                        "filter of a statement with parameters, for segments",
                        (shard, count) -> read(
                                shard,
                                true,
                                result -> result.filter(segment -> failsAtTheTenth(count) > 0)
                                        .flatMap(segment -> Mono.just(1)))),
                reader(
                        "filter of a statement with parameters, for a count",
                        (shard, count) -> read(
                                shard,
                                true,
                                result -> Mono.from(result.filter(segment -> failsAtTheTenth(count) > 0)
                                                .getRowsUpdated())
                                        .map(Long::intValue))),
                reader(
                        "filter, for segments",
                        (shard, count) -> read(
                                shard,
                                false,
                                result -> result.filter(segment -> failsAtTheTenth(count) > 0)
                                        .flatMap(segment -> Mono.just(1)))),
                reader(
                        "filter, for a count",
                        (shard, count) -> read(
                                shard,
                                false,
                                result -> Mono.from(result.filter(segment -> failsAtTheTenth(count) > 0)
                                                .getRowsUpdated())
                                        .map(Long::intValue))));
    }

    private interface Reading {

        Flux<Integer> read(ShardOperations shard, AtomicInteger count);
    }

    private static Arguments reader(String name, Reading reading) {
        return Arguments.of(name, reading);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("failingReaders")
    void readerThatFailsLeavesNothingBehind(String name, Reading reading) throws Exception {
        long session = session();
        noLeaks(() -> {
            for (int i = 0; i < 3; i++) {
                assertThat(slowly(reading.read(shard, new AtomicInteger())))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage("bad row");
                shard.update(Query.of("select 1")).block(AT_ONCE);
            }
        });

        assertThat(session()).isEqualTo(session);
    }

    /** Asks for 5 rows, lets the driver fill its window, asks for the others, and returns the error. */
    private static Throwable slowly(Flux<Integer> rows) {
        Sinks.One<Throwable> end = Sinks.one();
        BaseSubscriber<Integer> subscriber = new BaseSubscriber<>() {
            @Override
            protected void hookOnSubscribe(Subscription subscription) {
                request(5);
            }

            @Override
            protected void hookOnError(Throwable error) {
                end.tryEmitValue(error);
            }

            @Override
            protected void hookFinally(SignalType type) {
                end.tryEmitEmpty();
            }
        };
        rows.subscribe(subscriber);
        Mono.delay(Duration.ofMillis(100)).subscribe(done -> subscriber.request(100));
        return end.asMono().block(TIMEOUT);
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void commitStandsBehindAResultThatNobodyReads(int rows) throws Exception {
        long session = session();
        noLeaks(() -> {
            for (int i = 0; i < 3; i++) {
                assertThat(shard.inTransaction(connection -> Mono.from(connection
                                                .createStatement("select i from generate_series(1, " + rows + ") i")
                                                .execute())
                                        .thenReturn("done"))
                                .block(AT_ONCE))
                        .isEqualTo("done");
            }
        });

        assertThat(session()).isEqualTo(session);
    }

    @Test
    void statementWhoseParametersWereRefusedIsOneWithout() throws Exception {
        noLeaks(() -> assertThat(shard.inTransaction(connection -> {
                            Statement statement = connection.createStatement(ROWS);
                            assertThatThrownBy(() -> statement.bind(0, 1))
                                    .isInstanceOf(IndexOutOfBoundsException.class);
                            return Mono.from(statement.execute()).thenReturn("done");
                        })
                        .block(AT_ONCE))
                .isEqualTo("done"));
    }

    /** The router asks for it when the work is done, and the caller can leave before it is there. */
    @Test
    void positionThatNobodyWaitsForIsRead() throws Exception {
        noLeaks(() -> {
            for (int i = 0; i < 300; i++) {
                Disposable call = shard.update(Query.of("select 1"))
                        .contextWrite(ReadYourWrites.begin().context())
                        .subscribe();
                LockSupport.parkNanos(i * 10_000L);
                call.dispose();
                // Behind which it gets its connection.
                shard.update(Query.of("select 1")).block(TIMEOUT);
            }
        });
    }

    static Stream<Integer> sizes() {
        return Stream.of(100, 5_000);
    }

    @ParameterizedTest
    @EnumSource
    void readerThatIsLeftBehindGetsAnErrorAndHoldsUpNobody(Left left) {
        long session = session();
        Waiting<Integer> waiting = new Waiting<>();
        shard.withConnection(connection -> {
                    left.read(connection).subscribe(waiting);
                    return Mono.delay(Duration.ofMillis(100));
                })
                .block(TIMEOUT);

        shard.update(Query.of("select 1")).block(AT_ONCE);
        assertThat(session()).isEqualTo(session);
        assertThat(waiting.end.asMono().block(TIMEOUT))
                .isInstanceOfSatisfying(
                        IllegalStateException.class,
                        error -> assertThat(error)
                                .hasMessageContaining("the work that this connection was lent to is over"));
    }

    @ParameterizedTest
    @EnumSource
    void commitStandsBehindAReaderThatIsLeftBehind(Left left) {
        shard.update(Query.of("create table if not exists left_behind (id int)"))
                .block(TIMEOUT);
        long before = number(SHARDS.node(0), "select count(*) from left_behind");
        Waiting<Integer> waiting = new Waiting<>();

        assertThat(shard.inTransaction(connection -> Query.of("insert into left_behind values (1)")
                                .update(connection)
                                .delayUntil(written -> {
                                    left.read(connection).subscribe(waiting);
                                    return Mono.delay(Duration.ofMillis(100));
                                }))
                        .block(AT_ONCE))
                .isEqualTo(1);
        assertThat(number(SHARDS.node(0), "select count(*) from left_behind")).isEqualTo(before + 1);
        assertThat(waiting.end.asMono().block(TIMEOUT)).isInstanceOf(IllegalStateException.class);
    }

    /** What is read, by somebody who asks for one row and no more. */
    private enum Left {
        ROWS_OF_A_QUERY {
            @Override
            Flux<Integer> read(Connection connection) {
                return Flux.from(connection.createStatement(ROWS).execute())
                        .flatMap(result -> result.map((row, metadata) -> 1));
            }
        },
        ROWS_OF_A_QUERY_WITH_PARAMETERS {
            @Override
            Flux<Integer> read(Connection connection) {
                return Flux.from(bound(connection).execute()).flatMap(result -> result.map((row, metadata) -> 1));
            }
        },
        ROWS_OF_A_CURSOR_WITH_PARAMETERS {
            @Override
            Flux<Integer> read(Connection connection) {
                return Flux.from(bound(connection).fetchSize(10).execute()).flatMap(result -> result.map(row -> 1));
            }
        },
        SEGMENTS_OF_A_QUERY_WITH_PARAMETERS {
            @Override
            Flux<Integer> read(Connection connection) {
                return Flux.from(bound(connection).execute())
                        .flatMap(result -> result.flatMap(segment -> Mono.just(1)));
            }
        },
        RESULTS {
            @Override
            Flux<Integer> read(Connection connection) {
                return Flux.from(connection.createStatement(ROWS + "; " + ROWS).execute())
                        .map(result -> 1);
            }
        };

        abstract Flux<Integer> read(Connection connection);

        private static Statement bound(Connection connection) {
            return connection
                    .createStatement("select i from generate_series(1, $1) i")
                    .bind(0, 5_000);
        }
    }

    @Test
    void countThatNobodyAsksForHoldsUpNobody() {
        assertThat(shard.inTransaction(connection -> Mono.fromCallable(() -> {
                            Flux.from(Left.bound(connection).execute())
                                    .concatMap(Result::getRowsUpdated)
                                    .subscribe(new BaseSubscriber<>() {
                                        @Override
                                        protected void hookOnSubscribe(Subscription subscription) {
                                            // Asks for nothing.
                                        }
                                    });
                            return "done";
                        }))
                        .block(AT_ONCE))
                .isEqualTo("done");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void countWaitsUntilItIsAskedFor(boolean bound) {
        shard.update(Query.of("create table if not exists counted (id int)")).block(TIMEOUT);
        StepVerifier.create(
                        shard.withConnectionMany(connection -> Flux.from(
                                        bound
                                                ? connection
                                                        .createStatement("insert into counted values ($1)")
                                                        .bind(0, 1)
                                                        .execute()
                                                : connection
                                                        .createStatement("insert into counted values (1)")
                                                        .execute())
                                .concatMap(Result::getRowsUpdated)),
                        0)
                .thenAwait(Duration.ofMillis(200))
                .thenRequest(1)
                .expectNext(1L)
                .expectComplete()
                .verify(TIMEOUT);
    }

    @Test
    void countThatIsCancelledBeforeItIsAskedForChangesNothing() {
        shard.update(Query.of("create table untouched (id int)")).block(TIMEOUT);
        shard.withConnection(connection -> Mono.from(connection
                                .createStatement("insert into untouched values ($1)")
                                .bind(0, 1)
                                .execute())
                        .doOnNext(result -> result.getRowsUpdated().subscribe(new BaseSubscriber<>() {
                            @Override
                            protected void hookOnSubscribe(Subscription subscription) {
                                cancel();
                            }
                        })))
                .block(TIMEOUT);
        assertThat(number(SHARDS.node(0), "select count(*) from untouched")).isZero();
    }

    @Test
    void whatBecomesOfASegmentIsNotCutOffInSilence() {
        shard.update(Query.of("create table cut_off (id int)")).block(TIMEOUT);
        StepVerifier.create(shard.connection()
                        .flatMapMany(connection -> Flux.from(connection
                                        .createStatement("insert into cut_off values ($1)")
                                        .bind(0, 1)
                                        .execute())
                                .concatMap(result -> result.flatMap(segment -> Flux.concat(
                                        Mono.just("a"),
                                        Mono.delay(Duration.ofMillis(300)).thenReturn("b"))))
                                .concatMap(text -> Mono.from(connection.close()).thenReturn(text))))
                .expectErrorSatisfies(error ->
                        assertThat(error).hasMessageContaining("the work that this connection was lent to is over"))
                .verify(TIMEOUT);
    }

    /** The mapper of the last row ends the work, and then fails. */
    @Test
    void errorOfAMapperAtTheEndOfTheWorkIsNotLost() {
        Sinks.One<Integer> end = Sinks.one();
        Waiting<Integer> waiting = new Waiting<>();
        StepVerifier.create(shard.inTransaction(connection -> {
                    Flux.from(connection
                                    .createStatement("select $1::int")
                                    .bind(0, 1)
                                    .execute())
                            .flatMap(result -> result.map((Readable row) -> {
                                end.tryEmitValue(1);
                                if (row != null) {
                                    throw new IllegalArgumentException("bad row");
                                }
                                return 1;
                            }))
                            .subscribe(waiting);
                    return end.asMono();
                }))
                .expectNext(1)
                .expectComplete()
                .verify(TIMEOUT);
        assertThat(waiting.end.asMono().block(TIMEOUT)).hasMessage("bad row");
    }

    @Test
    void errorAmongRowsThatAreMissedIsTheErrorOfTheTransaction() {
        Waiting<Integer> waiting = new Waiting<>();
        StepVerifier.create(shard.inTransaction(connection -> Mono.fromCallable(() -> {
                    Flux.from(connection
                                    .createStatement("select 1 / (1000 - i) from generate_series(1, $1) i")
                                    .bind(0, 5_000)
                                    .execute())
                            .flatMap(result -> result.map(row -> 1))
                            .subscribe(waiting);
                    return "done";
                })))
                .expectErrorSatisfies(error -> assertThat(error).hasMessageContaining("division by zero"))
                .verify(TIMEOUT);
    }

    /** The end comes one round trip after the last row, and by then the connection is given back. */
    @Test
    void readerWhoMissesNoRowIsNotRefused() {
        for (int i = 0; i < 20; i++) {
            StepVerifier.create(shard.connection()
                            .flatMapMany(connection -> Query.of("select $1::int", 7)
                                    .fetch(connection, row -> row.get(0, Integer.class))
                                    .concatMap(seven ->
                                            Mono.from(connection.close()).thenReturn(seven))))
                    .expectNext(7)
                    .expectComplete()
                    .verify(TIMEOUT);
        }
    }

    @Test
    void errorOfAStatementThatIsNotWaitedForIsWhatItsReaderGets() {
        shard.update(Query.of("create table twice (id int primary key)")).block(TIMEOUT);
        Waiting<Integer> waiting = new Waiting<>();

        StepVerifier.create(shard.inTransaction(connection -> Mono.fromCallable(() -> {
                    Flux.from(connection
                                    .createStatement("insert into twice values ($1), ($1) returning id")
                                    .bind(0, 1)
                                    .execute())
                            .flatMap(result -> result.map(row -> 1))
                            .subscribe(waiting);
                    return "done";
                })))
                .expectErrorSatisfies(error -> assertThat(error).hasMessageContaining("duplicate key"))
                .verify(TIMEOUT);
        assertThat(waiting.end.asMono().block(TIMEOUT)).hasMessageContaining("duplicate key");
    }

    @Test
    void filterThatHasFailedOnceCanBeTriedAgain() {
        AtomicInteger count = new AtomicInteger();
        assertThat(read(
                                shard,
                                true,
                                result -> Flux.from(result.filter(segment -> failsAtTheTenth(count) > 0)
                                                .map(row -> 1))
                                        .retry(1))
                        .count()
                        .block(TIMEOUT))
                .isGreaterThanOrEqualTo(5_000);
    }

    @Test
    void resultThatIsFilteredLateIsRefused() {
        Sinks.One<Result> kept = Sinks.one();
        shard.withConnection(
                        connection -> Mono.from(connection.createStatement(ROWS).execute())
                                .doOnNext(kept::tryEmitValue)
                                .thenReturn(1))
                .block(TIMEOUT);

        StepVerifier.create(kept.asMono()
                        .flatMapMany(result -> result.filter(segment -> true).map((row, metadata) -> 1)))
                .expectError(IllegalStateException.class)
                .verify(TIMEOUT);
        warm();
    }

    @ParameterizedTest
    @ValueSource(strings = {"rollback", "commit"})
    void workThatEndsItsTransactionByItselfIsAnError(String end) {
        shard.update(Query.of("create table if not exists ended (id int)")).block(TIMEOUT);
        for (boolean read : new boolean[] {true, false}) {
            StepVerifier.create(shard.inTransaction(connection -> Mono.from(connection
                                    .createStatement("insert into ended values (1)")
                                    .execute())
                            .flatMap(result -> Mono.from(result.getRowsUpdated()))
                            .then(Mono.from(connection.createStatement(end).execute()))
                            .flatMap(result -> read ? Mono.from(result.getRowsUpdated()) : Mono.just(1L))))
                    .expectErrorSatisfies(error -> assertThat(error).hasMessageContaining("was no longer open"))
                    .verify(TIMEOUT);
        }
        warm();
    }

    @Test
    void errorThatNobodyHasReadEndsTheTransaction() {
        shard.update(Query.of("create table refused (id int primary key)")).block(TIMEOUT);

        StepVerifier.create(shard.inTransaction(connection -> Mono.from(connection
                                .createStatement("insert into refused values (1), (1)")
                                .execute())
                        .thenReturn("done")))
                .expectErrorSatisfies(error -> assertThat(error).hasMessageContaining("duplicate key"))
                .verify(TIMEOUT);
        assertThat(number(SHARDS.node(0), "select count(*) from refused")).isZero();
    }

    @Test
    void resultsThatNobodyCanReadAnyMoreAreForgotten() {
        Runtime runtime = Runtime.getRuntime();
        List<Long> used = new ArrayList<>();
        shard.withConnection(connection -> Flux.range(1, 20_000)
                        .concatMap(i -> {
                            if (i % 2_000 == 0) {
                                System.gc();
                                used.add(runtime.totalMemory() - runtime.freeMemory());
                            }
                            return Flux.from(connection
                                            .createStatement("select 1")
                                            .execute())
                                    .then();
                        })
                        .then())
                .block(TIMEOUT.multipliedBy(2));

        // It was 1.4 kB for each of them.
        assertThat(used.get(used.size() - 1) - used.get(1)).isLessThan(8_000_000);
    }

    @Test
    void rowsThatNobodyHasReadGoWithTheirConnection() throws Exception {
        noLeaks(() -> StepVerifier.create(shard.withConnection(connection -> Mono.from(connection
                                .createStatement("select i from generate_series(1, 100) i")
                                .execute())
                        .then(Mono.error(
                                () -> new R2dbcBadGrammarException("prepared statement is not there", "26000", 0)))))
                .expectError()
                .verify(TIMEOUT));
    }

    /** The driver holds some of them, and Netty those that the driver has not asked for. */
    @ParameterizedTest
    @ValueSource(ints = {0, 2_000})
    void rowsOnTheirWayAreReleasedWhenTheirConnectionBreaks(int portion) throws Exception {
        noLeaks(() -> {
            for (int i = 0; i < 5; i++) {
                Waiting<Integer> waiting = new Waiting<>();
                shard.query(
                                Query.of("select i from generate_series(1, $1) i", 1_900)
                                        .fetchSize(portion),
                                row -> 1)
                        .subscribe(waiting);
                await(
                        "the rows are on their way",
                        TIMEOUT,
                        () -> number(
                                        SHARDS.node(0),
                                        "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = '"
                                                + APP
                                                + "' and query like '%generate_series%' and wait_event = 'ClientRead'")
                                == 1);
                assertThat(waiting.end.asMono().block(TIMEOUT)).isNotNull();
            }
        });
    }

    @Test
    void segmentsThatAreFilteredAreReleasedOnce() throws Exception {
        List<Throwable> dropped = new CopyOnWriteArrayList<>();
        Hooks.onErrorDropped(dropped::add);
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        Logger operators = (Logger) LoggerFactory.getLogger("reactor.core.publisher.Operators");
        log.start();
        operators.addAppender(log);
        try {
            noLeaks(() -> {
                assertThat(read(
                                        shard,
                                        true,
                                        result ->
                                                result.filter(segment -> false).flatMap(segment -> Mono.just(1)))
                                .collectList()
                                .block(TIMEOUT))
                        .isEmpty();
                assertThat(read(
                                        shard,
                                        true,
                                        result -> result.flatMap(segment -> Flux.just(segment)
                                                .filter(rejected -> false)
                                                .map(none -> 1)))
                                .collectList()
                                .block(TIMEOUT))
                        .isEmpty();
            });
        } finally {
            Hooks.resetOnErrorDropped();
            operators.detachAppender(log);
        }

        assertThat(dropped).isEmpty();
        assertThat(log.list).isEmpty();
    }

    @Test
    void resultIsReadOnce() {
        StepVerifier.create(read(
                        shard,
                        false,
                        result ->
                                Flux.from(result.map((row, metadata) -> 1)).thenMany(result.map((row, metadata) -> 2))))
                .expectErrorMessage("a result can be read only once")
                .verify(TIMEOUT);
        warm();
    }

    @Test
    void errorsThatTheCallerContinuesAfterAreErrorsStill() {
        shard.update(Query.of("create table kept (id int primary key)")).block(TIMEOUT);

        StepVerifier.create(shard.update(Query.of("insert into kept values (1), (1)"))
                        .onErrorContinue((error, element) -> {}))
                .expectErrorMatches(error -> error.getMessage().contains("duplicate key"))
                .verify(TIMEOUT);
        StepVerifier.create(shard.batch(
                                "insert into kept values ($1)",
                                List.of(new Object[] {1}, new Object[] {1}, new Object[] {2}))
                        .onErrorContinue((error, element) -> {}))
                .expectErrorMatches(error -> error.getMessage().contains("duplicate key"))
                .verify(TIMEOUT);
        StepVerifier.create(shard.inTransaction((Connection connection) -> Flux.from(connection
                                        .createStatement("insert into kept values (3); insert into kept values (3)")
                                        .execute())
                                .concatMap(Result::getRowsUpdated)
                                .reduce(0L, Long::sum))
                        .onErrorContinue((error, element) -> {}))
                .expectErrorMatches(error -> error.getMessage().contains("duplicate key"))
                .verify(TIMEOUT);

        assertThat(number(SHARDS.node(0), "select count(*) from kept")).isZero();
    }

    /** The values of ten rows, and an error in place of the third. */
    static Stream<Arguments> readersThatContinue() {
        Function<Row, Integer> failing = row -> {
            int i = row.get(0, Integer.class);
            if (i == 3) {
                throw new IllegalArgumentException("bad row");
            }
            return i;
        };
        return Stream.of(true, false)
                .flatMap(bound -> Stream.<Map.Entry<String, Function<Result, Publisher<Integer>>>>of(
                                Map.entry("rows", result -> result.map((row, metadata) -> failing.apply(row))),
                                Map.entry(
                                        "filtered rows",
                                        result -> result.filter(segment -> !(segment instanceof RowSegment row)
                                                        || failing.apply(row.row()) > 0)
                                                .map((row, metadata) -> row.get(0, Integer.class))),
                                Map.entry(
                                        "segments",
                                        result -> result.flatMap(segment -> segment instanceof RowSegment row
                                                ? Mono.just(failing.apply(row.row()))
                                                : Mono.empty())),
                                Map.entry(
                                        "what becomes of segments",
                                        result -> result.flatMap(segment -> segment instanceof RowSegment row
                                                ? Mono.just(row.row().get(0, Integer.class))
                                                        .flatMap(i -> i == 3
                                                                ? Mono.error(new IllegalArgumentException("bad row"))
                                                                : Mono.just(i))
                                                : Mono.empty())))
                        .map(reader -> Arguments.of(reader.getKey(), bound, reader.getValue())));
    }

    @ParameterizedTest(name = "{0}, with parameters: {1}")
    @MethodSource("readersThatContinue")
    void callerWhoContinuesAfterAnErrorMissesOneRow(
            String name, boolean bound, Function<Result, Publisher<Integer>> reader) throws Exception {
        noLeaks(() -> {
            List<Throwable> errors = new CopyOnWriteArrayList<>();
            StepVerifier.create(
                            shard.withConnectionMany(connection -> Flux.from(
                                            bound
                                                    ? connection
                                                            .createStatement("select i from generate_series(1, $1) i")
                                                            .bind(0, 10)
                                                            .execute()
                                                    : connection
                                                            .createStatement("select i from generate_series(1, 10) i")
                                                            .execute())
                                    .flatMap(reader)
                                    .onErrorContinue((error, element) -> errors.add(error))),
                            2)
                    .expectNext(1, 2)
                    .thenRequest(20)
                    .expectNext(4, 5, 6, 7, 8, 9, 10)
                    .expectComplete()
                    .verify(TIMEOUT);
            assertThat(errors)
                    .singleElement()
                    .satisfies(error -> assertThat(error).hasMessage("bad row"));
        });
    }

    @Test
    void filterOfAReaderThatIsLeftBehindDoesNotEndTheTransaction() {
        Waiting<Integer> waiting = new Waiting<>();
        AtomicInteger seen = new AtomicInteger();
        assertThat(shard.inTransaction(connection -> Mono.fromCallable(() -> {
                            Flux.from(Left.bound(connection).execute())
                                    .flatMap(result -> result.filter(segment -> failsAtTheTenth(seen) > 0)
                                            .map(row -> 1))
                                    .subscribe(waiting);
                            return "done";
                        }))
                        .block(TIMEOUT))
                .isEqualTo("done");
        assertThat(waiting.end.asMono().block(TIMEOUT)).isNotNull();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void errorAmongSegmentsThatAreMissedIsTheErrorOfTheTransaction(boolean bound) {
        Waiting<Integer> waiting = new Waiting<>();
        StepVerifier.create(shard.inTransaction(connection -> Mono.fromCallable(() -> {
                            Flux.from(
                                            bound
                                                    ? connection
                                                            .createStatement(
                                                                    "select 1 / (1000 - i) from generate_series(1, $1) i")
                                                            .bind(0, 5_000)
                                                            .execute()
                                                    : connection
                                                            .createStatement(
                                                                    "select 1 / (1000 - i) from generate_series(1, 5000) i")
                                                            .execute())
                                    .flatMap(result -> result.flatMap(segment -> Mono.just(1)))
                                    .subscribe(waiting);
                            return "done";
                        })
                        .delayElement(Duration.ofMillis(100))))
                .expectErrorSatisfies(error -> assertThat(error).hasMessageContaining("division by zero"))
                .verify(TIMEOUT);
    }

    /** The event loop is in the mapper when another thread ends the reading. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void segmentIsNotReleasedAsLongAsItsMapperReadsIt(boolean bound) throws Exception {
        AtomicReference<Throwable> failure = new AtomicReference<>();
        AtomicInteger read = new AtomicInteger();
        noLeaks(() -> shard.withConnection(connection -> Flux.from(
                                bound
                                        ? connection
                                                .createStatement("select $1::text")
                                                .bind(0, "whole")
                                                .execute()
                                        : connection
                                                .createStatement("select 'whole'")
                                                .execute())
                        .flatMap(result -> result.flatMap(segment -> {
                            if (segment instanceof RowSegment row) {
                                long until = System.nanoTime()
                                        + Duration.ofMillis(300).toNanos();
                                int looks = 0;
                                while (System.nanoTime() < until) {
                                    looks++;
                                }
                                try {
                                    assertThat(ReferenceCountUtil.refCnt(row)).isEqualTo(1);
                                    assertThat(row.row().get(0, String.class)).isEqualTo("whole");
                                    read.addAndGet(looks);
                                } catch (Throwable thrown) {
                                    failure.set(thrown);
                                }
                            }
                            return Mono.just(1);
                        }))
                        .timeout(Duration.ofMillis(100))
                        .onErrorResume(TimeoutException.class, late -> Mono.empty())
                        .then())
                .block(TIMEOUT));
        await("the mapper has read", TIMEOUT, () -> read.get() > 0 || failure.get() != null);
        assertThat(failure.get()).isNull();
    }

    /** Notices can carry the codes of errors, as that of {@code create table if not exists} does. */
    @Test
    void noticeThatIsMissedDoesNotEndTheTransaction() {
        shard.update(Query.of("create function noted(i int) returns int language plpgsql as"
                        + " $$ begin raise notice 'noted' using errcode = '42P07'; return i; end $$"))
                .block(TIMEOUT);
        Waiting<Integer> waiting = new Waiting<>();
        assertThat(shard.inTransaction(connection -> Mono.fromCallable(() -> {
                                    Flux.from(connection
                                                    .createStatement("select noted(i) from generate_series(1, 3) i")
                                                    .execute())
                                            .flatMap(result -> result.flatMap(segment -> Mono.just(1)), 1, 1)
                                            .subscribe(waiting);
                                    return "done";
                                })
                                .delayElement(Duration.ofMillis(100)))
                        .block(TIMEOUT))
                .isEqualTo("done");
        assertThat(waiting.end.asMono().block(TIMEOUT)).isInstanceOf(IllegalStateException.class);
    }

    /** A notice comes between the rows, and the filter takes it for one. */
    @Test
    void callerWhoContinuesAfterAFilterHasFailedOverANoticeMissesNoRow() {
        shard.update(
                        Query.of(
                                "create function told(i int) returns int language plpgsql as $$ begin raise notice 'told'; return i; end $$"))
                .block(TIMEOUT);
        StepVerifier.create(shard.withConnectionMany(connection -> Flux.from(connection
                                .createStatement("select 1 union all select told(2)")
                                .execute())
                        .flatMap(result -> result.filter(segment -> ((RowSegment) segment).row() != null)
                                .map(row -> row.get(0, Integer.class)))
                        .onErrorContinue((error, element) -> {})))
                .expectNext(1, 2)
                .expectComplete()
                .verify(TIMEOUT);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void errorBehindAFilterThatIsMissedIsTheErrorOfTheTransaction(boolean filtered) {
        Waiting<Integer> waiting = new Waiting<>();
        StepVerifier.create(shard.inTransaction(connection -> Mono.fromCallable(() -> {
                            Flux.from(connection
                                            .createStatement("select 1 / (1000 - i) from generate_series(1, 5000) i")
                                            .execute())
                                    .flatMap(result -> filtered
                                            ? result.filter(segment -> true).map(row -> 1)
                                            : result.map(row -> 1))
                                    .subscribe(waiting);
                            return "done";
                        })
                        .delayElement(Duration.ofMillis(100))))
                .expectErrorSatisfies(error ->
                        assertThat(error).isInstanceOf(R2dbcException.class).hasMessageContaining("division by zero"))
                .verify(TIMEOUT);
    }

    private static void noLeaks(NettyLeaks.Work work) throws Exception {
        NettyLeaks.assertNone(ResourceLeakDetector.Level.PARANOID, work);
    }
}
