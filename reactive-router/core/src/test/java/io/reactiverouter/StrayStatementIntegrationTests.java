package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.awaitQuiet;
import static io.reactiverouter.TestClusters.busy;
import static io.reactiverouter.TestClusters.number;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.ResourceLeakDetector;
import io.r2dbc.spi.Blob;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Statement;
import io.reactiverouter.test.ShardsExtension;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Publisher;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Hooks;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;

/** Statements that begin while their connection is on its way back: none may run when the next owner has it. */
@NullUnmarked
class StrayStatementIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(1);

    private static final String APP = "stray-tests";

    @RegisterExtension
    final OneConnection one = new OneConnection(SHARDS, APP);

    private ShardCluster cluster;
    private ShardOperations shard;

    @BeforeEach
    void open() {
        TestClusters.sql(SHARDS, "create table if not exists strays (id int)");
        TestClusters.sql(SHARDS, "truncate strays");
        cluster = one.cluster();
        shard = one.shard();
    }

    /**
     * The caller leaves while the connection's event loop is in the step between two statements, as while it maps the first
     * result. The question that is to settle the connection is then put before the second statement is.
     */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void cancelWhileTheNextStatementIsAboutToBegin(boolean inTransaction) throws Exception {
        CountDownLatch between = new CountDownLatch(1);
        CountDownLatch left = new CountDownLatch(1);
        Mono<Long> work = inTransaction
                ? shard.inTransaction(connection -> Query.of("insert into strays values (1)")
                        .update(connection)
                        .flatMap(written -> {
                            between.countDown();
                            spin(left, 15);
                            return Query.of("select pg_sleep(5)").update(connection);
                        }))
                : shard.withConnection(connection -> Query.of("insert into strays values (1)")
                        .update(connection)
                        .flatMap(written -> {
                            between.countDown();
                            spin(left, 15);
                            return Query.of("select pg_sleep(5)").update(connection);
                        }));
        Disposable running = work.subscribe();
        assertThat(between.await(10, TimeUnit.SECONDS)).isTrue();

        running.dispose();
        left.countDown();

        // One connection: this waits until it is back, and then for whatever still runs on it.
        shard.inTransaction(connection -> Query.of("insert into strays values (2)")
                        .update(connection)
                        .delayUntil(written -> Mono.delay(Duration.ofMillis(300)))
                        .publishOn(Schedulers.boundedElastic())
                        .doOnNext(
                                written -> assertThat(busy(SHARDS.node(0), APP)).isEqualTo(1)))
                .block(Duration.ofSeconds(4));
        assertThat(number(SHARDS.node(0), "select count(*) from strays where id = 2"))
                .isEqualTo(1);
        assertThat(number(SHARDS.node(0), "select count(*) from strays where id = 1"))
                .isEqualTo(inTransaction ? 0 : 1);
    }

    /** The same on a thread of the caller's, which goes on when the connection has its next owner. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void statementThatIsSubscribedAfterTheReturnIsRefused(boolean withParameter) throws Exception {
        CountDownLatch between = new CountDownLatch(1);
        CountDownLatch next = new CountDownLatch(1);
        AtomicReference<Throwable> refusal = new AtomicReference<>();
        CountDownLatch refused = new CountDownLatch(1);
        Disposable running = shard.withConnection(connection -> {
                    Statement statement = connection.createStatement(
                            withParameter ? "insert into strays values ($1)" : "insert into strays values (3)");
                    if (withParameter) {
                        statement.bind(0, 3);
                    }
                    Mono<Long> stray = Flux.from(statement.execute())
                            .flatMap(Result::getRowsUpdated)
                            .next();
                    return Mono.just(stray)
                            .publishOn(Schedulers.boundedElastic())
                            .doOnNext(insert -> {
                                between.countDown();
                                spin(next, 0);
                                insert.subscribe(
                                        written -> refused.countDown(),
                                        error -> {
                                            refusal.set(error);
                                            refused.countDown();
                                        },
                                        refused::countDown);
                            })
                            .then();
                })
                .subscribe();
        assertThat(between.await(10, TimeUnit.SECONDS)).isTrue();
        running.dispose();

        StepVerifier.create(shard.inTransaction(connection -> Query.of("insert into strays values (4)")
                        .update(connection)
                        .delayUntil(written -> {
                            next.countDown();
                            return Mono.fromCallable(() -> refused.await(10, TimeUnit.SECONDS))
                                    .subscribeOn(Schedulers.boundedElastic());
                        })
                        .then(Mono.error(new IllegalStateException("rolls back")))))
                .expectErrorMessage("rolls back")
                .verify(TIMEOUT);
        assertThat(refusal.get())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("the work that this connection was lent to is over");
        assertThat(number(SHARDS.node(0), "select count(*) from strays")).isZero();
    }

    /** What completed work has left for later does not run either. */
    @Test
    void connectionThatIsKeptAfterItsWorkIsRefused() {
        AtomicReference<io.r2dbc.spi.Connection> kept = new AtomicReference<>();
        shard.withConnection(connection -> {
                    kept.set(connection);
                    return Query.of("select 1").update(connection);
                })
                .block(TIMEOUT);

        StepVerifier.create(Mono.defer(
                        () -> Query.of("insert into strays values (5)").update(kept.get())))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("the work that this connection was lent to is over"))
                .verify(TIMEOUT);
        StepVerifier.create(Mono.defer(() -> Mono.from(kept.get().beginTransaction())))
                .expectError(IllegalStateException.class)
                .verify(TIMEOUT);
        assertThat(number(SHARDS.node(0), "select count(*) from strays")).isZero();
    }

    /** What work leaves for after its end must not come between the commit and the return of the connection. */
    @Test
    void statementAfterTheEndOfATransactionIsRefused() {
        AtomicReference<Throwable> refusal = new AtomicReference<>();
        shard.inTransaction(connection -> Query.of("insert into strays values (6)")
                        .update(connection)
                        .doFinally(end -> Query.of("select pg_sleep(2)")
                                .update(connection)
                                .subscribe(null, refusal::set)))
                .block(TIMEOUT);
        long start = System.nanoTime();
        shard.update(Query.of("select 1")).block(TIMEOUT);

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(1));
        assertThat(refusal.get()).hasMessageContaining("the work that this connection was lent to is over");
        assertThat(number(SHARDS.node(0), "select count(*) from strays")).isEqualTo(1);
    }

    /** A statement that is just being sent when the transaction is to be committed neither gets lost nor goes astray. */
    @Test
    void statementThatIsBeingSentAtTheEndOfATransactionEndsIt() throws Exception {
        CountDownLatch sending = new CountDownLatch(1);
        CountDownLatch next = new CountDownLatch(1);
        CountDownLatch sent = new CountDownLatch(1);
        Mono<Long> first = shard.inTransaction(connection -> {
            Schedulers.boundedElastic()
                    .schedule(() -> Flux.from(connection
                                    .createStatement("insert into strays values (7)")
                                    .execute())
                            .doOnSubscribe(subscription -> {
                                sending.countDown();
                                spin(next, 0);
                            })
                            .flatMap(Result::getRowsUpdated)
                            .doFinally(end -> sent.countDown())
                            .subscribe(null, error -> {}));
            return Mono.fromCallable(() -> sending.await(10, TimeUnit.SECONDS))
                    .subscribeOn(Schedulers.boundedElastic())
                    .then(Query.of("insert into strays values (8)").update(connection));
        });

        StepVerifier.create(first)
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("sending a statement"))
                .verify(TIMEOUT);
        shard.inTransaction(connection -> Query.of("insert into strays values (9)")
                        .update(connection)
                        .delayUntil(written -> {
                            next.countDown();
                            return Mono.fromCallable(() -> sent.await(10, TimeUnit.SECONDS))
                                    .subscribeOn(Schedulers.boundedElastic());
                        }))
                .block(TIMEOUT);
        assertThat(number(SHARDS.node(0), "select sum(id) from strays")).isEqualTo(9);
    }

    /** The driver sends a statement with a large object when that has arrived, whenever that is. */
    @Test
    void statementWhoseParameterArrivesAfterTheReturnIsRefused() {
        Sinks.Many<ByteBuffer> content = Sinks.many().unicast().onBackpressureBuffer();
        CountDownLatch ended = new CountDownLatch(1);
        AtomicReference<Throwable> refusal = new AtomicReference<>();
        shard.withConnection(connection -> {
                    Flux.from(connection
                                    .createStatement("insert into strays select octet_length($1)")
                                    .bind(0, Blob.from(content.asFlux()))
                                    .execute())
                            .flatMap(Result::getRowsUpdated)
                            .doFinally(end -> ended.countDown())
                            .subscribe(null, refusal::set);
                    return Query.of("select 1").update(connection);
                })
                .block(TIMEOUT);

        shard.inTransaction(connection -> Query.of("insert into strays values (10)")
                        .update(connection)
                        .delayUntil(written -> {
                            content.tryEmitNext(ByteBuffer.wrap(new byte[] {1}));
                            content.tryEmitComplete();
                            return Mono.fromCallable(() -> ended.await(10, TimeUnit.SECONDS))
                                    .subscribeOn(Schedulers.boundedElastic());
                        }))
                .block(TIMEOUT);
        assertThat(refusal.get()).hasMessageContaining("the work that this connection was lent to is over");
        assertThat(number(SHARDS.node(0), "select sum(id) from strays")).isEqualTo(10);
    }

    /** The driver waits for that too before it sends the statement. */
    @Test
    void statementWhoseParameterIsDiscardedAfterTheReturnIsRefused() throws Exception {
        for (boolean counted : new boolean[] {true, false}) {
            NettyLeaks.assertNone(ResourceLeakDetector.Level.PARANOID, () -> {
                Sinks.Empty<Void> discarded = Sinks.empty();
                AtomicReference<Throwable> refusal = new AtomicReference<>();
                Blob blob = new Blob() {
                    @Override
                    public Publisher<ByteBuffer> stream() {
                        return Mono.just(ByteBuffer.wrap(new byte[] {1}));
                    }

                    @Override
                    public Publisher<Void> discard() {
                        return discarded.asMono();
                    }
                };
                shard.withConnection(connection -> {
                            Flux.from(connection
                                            .createStatement("insert into strays select octet_length($1)")
                                            .bind(0, blob)
                                            .execute())
                                    .flatMap(result -> counted ? result.getRowsUpdated() : result.map(row -> 1L))
                                    .subscribe(null, refusal::set);
                            return Query.of("select 1").update(connection);
                        })
                        .block(TIMEOUT);
                discarded.tryEmitEmpty();
                shard.update(Query.of("select 1")).block(TIMEOUT);

                assertThat(refusal.get()).hasMessageContaining("the work that this connection was lent to is over");
            });
        }
        assertThat(number(SHARDS.node(0), "select count(*) from strays")).isZero();
    }

    /** What the owner's publisher discards is the owner's. */
    @Test
    void piecesThatTheOwnerDiscardsAreTheOwners() {
        ByteBuf own = Unpooled.buffer(1);
        Blob blob = Blob.from(
                Flux.just(own).filter(piece -> false).thenMany(Mono.just(ByteBuffer.wrap(new byte[] {1, 2, 3}))));
        shard.withConnection(connection -> Flux.from(connection
                                .createStatement("insert into strays select octet_length($1)")
                                .bind(0, blob)
                                .execute())
                        .flatMap(Result::getRowsUpdated)
                        .then())
                .block(TIMEOUT);
        assertThat(own.refCnt()).isEqualTo(1);
        own.release();
    }

    @Test
    void largeObjectArrives() {
        shard.withConnection(connection -> Flux.from(connection
                                .createStatement("insert into strays select octet_length($1)")
                                .bind(0, Blob.from(Mono.just(ByteBuffer.wrap(new byte[] {1, 2, 3}))))
                                .execute())
                        .flatMap(Result::getRowsUpdated)
                        .then())
                .block(TIMEOUT);
        assertThat(number(SHARDS.node(0), "select sum(id) from strays")).isEqualTo(3);
    }

    @Test
    void rowsAfterACancelOnTheEventLoopAreNotMapped() {
        AtomicInteger mapped = new AtomicInteger();
        shard.query(Query.of("select i from generate_series(1, 20000) i"), row -> {
                    mapped.incrementAndGet();
                    return row.get(0, Integer.class);
                })
                .takeUntil(i -> i == 700)
                .blockLast(TIMEOUT);

        assertThat(mapped).hasValue(700);
    }

    /** A statement without parameters has been sent by then: nobody else can get an answer before its own is read. */
    @Test
    void resultThatIsAskedForAfterTheReturnIsRead() throws Exception {
        CountDownLatch between = new CountDownLatch(1);
        CountDownLatch next = new CountDownLatch(1);
        Disposable running = shard.withConnectionMany(connection -> Flux.from(connection
                                .createStatement("select i from generate_series(1, 5000) i")
                                .execute())
                        .publishOn(Schedulers.boundedElastic())
                        .concatMap(result -> {
                            between.countDown();
                            spin(next, 0);
                            return result.map((row, metadata) -> row.get(0, Integer.class));
                        }))
                .subscribe();
        assertThat(between.await(10, TimeUnit.SECONDS)).isTrue();
        long session = session();
        running.dispose();
        Thread.sleep(20);
        next.countDown();

        shard.update(Query.of("select 1")).block(Duration.ofSeconds(1));
        assertThat(session()).isEqualTo(session);
    }

    /** Nobody reads it, and the driver would let everything else wait behind it. */
    @Test
    void resultThatArrivesAfterTheReturnIsRead() {
        long session = session();
        shard.withConnection(connection -> {
                    Flux.from(connection
                                    .createStatement("select i from generate_series(1, 5000) i")
                                    .execute())
                            .subscribe();
                    return Mono.just(1);
                })
                .block(Duration.ofSeconds(1));
        shard.update(Query.of("select 1")).block(Duration.ofSeconds(1));
        assertThat(session()).isEqualTo(session);
    }

    /** What the caller has begun for a segment ends when he leaves, and does not keep the event loop. */
    @Test
    void publishersOfSegmentsEndWithTheirReader() {
        AtomicInteger cancelled = new AtomicInteger();
        for (Flux<Integer> endless : List.of(
                Flux.<Integer>generate(sink -> sink.next(1)),
                Flux.just(1, 1, 1, 1, 1).concatWith(Flux.never()))) {
            shard.withConnectionMany(connection -> Flux.from(
                                    connection.createStatement("select 1").execute())
                            .flatMap(
                                    result -> result.flatMap(segment -> endless.doOnCancel(cancelled::incrementAndGet)))
                            .take(5))
                    .blockLast(Duration.ofSeconds(2));
        }
        shard.update(Query.of("select 1")).block(Duration.ofSeconds(1));
        assertThat(cancelled).hasValueGreaterThanOrEqualTo(2);
    }

    private static long session() {
        return number(SHARDS.node(0), "select pid from pg_stat_activity where application_name = '" + APP + "'");
    }

    /** An ordinary cancel of work that hops between threads is nothing for a log. */
    @Test
    void refusalsAfterACancelAreNotDroppedErrors() {
        List<Throwable> dropped = new CopyOnWriteArrayList<>();
        Hooks.onErrorDropped(dropped::add);
        Random random = new Random(3);
        try {
            for (int i = 0; i < 1_000; i++) {
                int kind = i % 4;
                Disposable running = shard.inTransaction(connection -> {
                            Mono<Long> next = Mono.defer(() -> Query.of("insert into strays values ($1)", kind)
                                    .update(connection));
                            Flux<Integer> steps = Flux.range(0, 50);
                            return switch (kind) {
                                case 0 ->
                                    steps.publishOn(Schedulers.parallel(), 1)
                                            .concatMap(step -> next, 1)
                                            .then();
                                case 1 -> steps.concatMap(step -> next).then();
                                case 2 ->
                                    steps.publishOn(Schedulers.parallel())
                                            .flatMap(step -> next.subscribeOn(Schedulers.parallel()))
                                            .then();
                                default ->
                                    steps.concatMap(step -> Query.of("insert into strays values (3)")
                                                    .update(connection)
                                                    .publishOn(Schedulers.parallel()))
                                            .then();
                            };
                        })
                        .subscribe();
                long until = System.nanoTime() + 300_000 + random.nextInt(2_500_000);
                while (System.nanoTime() < until) {
                    Thread.onSpinWait();
                }
                running.dispose();
            }
            awaitQuiet(cluster, SHARDS, APP);
        } finally {
            Hooks.resetOnErrorDropped();
        }
        assertThat(dropped).isEmpty();
        assertThat(number(
                        SHARDS.node(0),
                        "select count(*) from (select xmin from strays group by xmin having count(*) <> 50) as torn"))
                .isZero();
    }

    /** Keeps an event loop busy, which must not block. */
    private static void spin(CountDownLatch until, int longerMillis) {
        long left = 0;
        while (left == 0 || System.nanoTime() - left < longerMillis * 1_000_000L) {
            if (left == 0 && until.getCount() == 0) {
                left = System.nanoTime();
            }
        }
    }
}
