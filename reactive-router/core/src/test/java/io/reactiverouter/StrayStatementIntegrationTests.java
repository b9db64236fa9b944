package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.awaitQuiet;
import static io.reactiverouter.TestClusters.busy;
import static io.reactiverouter.TestClusters.number;
import static io.reactiverouter.TestClusters.over;
import static org.assertj.core.api.Assertions.assertThat;

import io.r2dbc.spi.Result;
import io.r2dbc.spi.Statement;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.test.ShardsExtension;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;

/** Statements that begin while their connection is on its way back: none may run when the next owner has it. */
@NullUnmarked
class StrayStatementIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(1);

    private static final String APP = "stray-tests";

    private ShardCluster cluster;
    private ShardOperations shard;

    @BeforeEach
    void open() {
        TestClusters.sql(SHARDS, "create table if not exists strays (id int)");
        TestClusters.sql(SHARDS, "truncate strays");
        cluster = over(SHARDS, APP).pool(PoolSettings.DEFAULTS.withMaxSize(1)).build();
        shard = cluster.router(
                        Keyspace.named("strays").key("id").tables("strays").strategy(ShardingStrategy.modulo()))
                .shard(ShardKey.of(1L));
        // So that the connection is there and idle.
        shard.update(Query.of("select 1")).block(TIMEOUT);
    }

    @AfterEach
    void close() {
        awaitQuiet(cluster, SHARDS, APP);
        cluster.close().block(TIMEOUT);
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
                .hasMessageContaining("the connection has been given back");
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
                        .hasMessageContaining("the connection has been given back"))
                .verify(TIMEOUT);
        StepVerifier.create(Mono.defer(() -> Mono.from(kept.get().beginTransaction())))
                .expectError(IllegalStateException.class)
                .verify(TIMEOUT);
        assertThat(number(SHARDS.node(0), "select count(*) from strays")).isZero();
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
