package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.failover.FailoverSettings;
import io.reactiverouter.failover.FailureKind;
import io.reactiverouter.failover.RetrySettings;
import io.reactiverouter.observation.ClusterListener;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.ShardId;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;

/** What is run again after which error, and what never is. */
@NullUnmarked
class RetryIntegrationTests {

    private static final String APP = "retry-tests";
    private static final TransactionOptions SERIALIZABLE =
            TransactionOptions.DEFAULTS.withIsolation(IsolationLevel.SERIALIZABLE);

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(1);

    private final Queue<Throwable> retried = new ConcurrentLinkedQueue<>();
    private final ShardNode server = SHARDS.node(0);
    private ShardCluster cluster;
    private ShardOperations shard;

    @BeforeEach
    void open() {
        TestClusters.sql(server, "drop table if exists account");
        TestClusters.sql(server, "create table account (id bigint primary key, balance bigint not null)");
        TestClusters.sql(server, "insert into account values (1, 100), (2, 100)");
        open(RetrySettings.DEFAULTS);
    }

    private void open(RetrySettings retry) {
        cluster = TestClusters.over(SHARDS, APP)
                .retry(retry)
                .failover(FailoverSettings.DEFAULTS.withMaxWait(Duration.ofSeconds(5)))
                .listener(new ClusterListener() {
                    @Override
                    public void retried(NodeId node, int count, Throwable cause) {
                        retried.add(cause);
                    }
                })
                .build();
        shard = cluster.shard(ShardId.of(server.name()));
    }

    @AfterEach
    void close() {
        TestClusters.awaitQuiet(cluster, SHARDS, APP);
        cluster.close().block(TIMEOUT);
    }

    @Test
    void transactionsThatConflictAreRunAgainWhenThatIsAskedFor() throws Exception {
        AtomicInteger runs = new AtomicInteger();
        List<CompletableFuture<Long>> both = conflicting(SERIALIZABLE.withRetries(3), runs);
        for (CompletableFuture<Long> each : both) {
            assertThat(each.get(10, TimeUnit.SECONDS)).isEqualTo(1);
        }
        assertThat(runs).hasValue(3);
        assertThat(retried).singleElement().extracting(FailureKind::of).isEqualTo(FailureKind.CONFLICT);
        assertThat(TestClusters.number(server, "select sum(balance) from account"))
                .as("each of them has seen the other, or has come before it")
                .isEqualTo(100);
    }

    @Test
    void transactionsThatConflictFailOtherwise() {
        AtomicInteger runs = new AtomicInteger();
        List<CompletableFuture<Long>> both = conflicting(SERIALIZABLE, runs);
        await("both have ended", TIMEOUT, () -> both.stream().allMatch(CompletableFuture::isDone));
        assertThat(both.stream().filter(CompletableFuture::isCompletedExceptionally))
                .singleElement()
                .satisfies(failed -> assertThat(failed)
                        .failsWithin(TIMEOUT)
                        .withThrowableOfType(ExecutionException.class)
                        .satisfies(
                                error -> assertThat(sqlState(error.getCause())).isEqualTo("40001")));
        assertThat(runs).hasValue(2);
        assertThat(retried).isEmpty();
    }

    /** Each takes from one account what the sum of both permits: only one may, which shows at the commit of the second. */
    private List<CompletableFuture<Long>> conflicting(TransactionOptions options, AtomicInteger runs) {
        CyclicBarrier bothHaveRead = new CyclicBarrier(2);
        return IntStream.rangeClosed(1, 2)
                .mapToObj(id -> {
                    AtomicInteger attempt = new AtomicInteger();
                    return shard.<Long>inTransaction(options, connection -> {
                                runs.incrementAndGet();
                                boolean first = attempt.incrementAndGet() == 1;
                                return number(connection, "select sum(balance) from account")
                                        .flatMap(sum -> first ? atBarrier(bothHaveRead, sum) : Mono.just(sum))
                                        .flatMap(sum -> run(
                                                connection,
                                                "update account set balance = balance - " + (sum >= 200 ? 100 : 0)
                                                        + " where id = " + id));
                            })
                            .toFuture();
                })
                .toList();
    }

    private static <T> Mono<T> atBarrier(CyclicBarrier barrier, T value) {
        return Mono.fromCallable(() -> {
                    barrier.await(10, TimeUnit.SECONDS);
                    return value;
                })
                .subscribeOn(Schedulers.boundedElastic());
    }

    @Test
    void conflictThatShowsAtTheCommitIsRunAgain() {
        TestClusters.sql(server, "drop sequence if exists tries; create sequence tries");
        TestClusters.sql(
                server,
                "create or replace function refuse_once() returns trigger language plpgsql as $$ begin"
                        + " if nextval('tries') = 1 then raise sqlstate '40001'; end if; return null; end $$;"
                        + " create constraint trigger refuse_once after update on account deferrable initially deferred"
                        + " for each row execute function refuse_once()");
        AtomicInteger runs = new AtomicInteger();
        StepVerifier.create(shard.inTransaction(TransactionOptions.DEFAULTS.withRetries(1), connection -> {
                    runs.incrementAndGet();
                    return run(connection, add(1));
                }))
                .expectNext(1L)
                .expectComplete()
                .verify(TIMEOUT);
        assertThat(runs).hasValue(2);
        assertThat(TestClusters.number(server, "select balance from account where id = 1"))
                .isEqualTo(101);
    }

    @Test
    void deadlocksAreRunAgainWhenThatIsAskedFor() throws Exception {
        CyclicBarrier bothHaveOne = new CyclicBarrier(2);
        AtomicInteger runs = new AtomicInteger();
        List<CompletableFuture<Long>> both = IntStream.rangeClosed(1, 2)
                .mapToObj(id -> {
                    AtomicInteger attempt = new AtomicInteger();
                    return shard.<Long>inTransaction(TransactionOptions.DEFAULTS.withRetries(3), connection -> {
                                runs.incrementAndGet();
                                boolean first = attempt.incrementAndGet() == 1;
                                return run(connection, add(id))
                                        .flatMap(done -> first ? atBarrier(bothHaveOne, done) : Mono.just(done))
                                        .then(run(connection, add(3 - id)));
                            })
                            .toFuture();
                })
                .toList();
        for (CompletableFuture<Long> each : both) {
            assertThat(each.get(15, TimeUnit.SECONDS)).isEqualTo(1);
        }
        // A busy server can make both give way.
        assertThat(runs.get()).isBetween(3, 4);
        assertThat(TestClusters.number(server, "select sum(balance) from account"))
                .isEqualTo(204);
    }

    @Test
    void transactionThatHasDeliveredIsNotRunAgain() {
        AtomicInteger runs = new AtomicInteger();
        StepVerifier.create(shard.inTransactionMany(TransactionOptions.DEFAULTS.withRetries(3), connection -> {
                    runs.incrementAndGet();
                    return number(connection, "select 7").concatWith(conflict(connection));
                }))
                .expectNext(7L)
                .expectErrorSatisfies(error -> assertThat(sqlState(error)).isEqualTo("40001"))
                .verify(TIMEOUT);
        assertThat(runs).hasValue(1);
    }

    @Test
    void transactionThatHasOneResultHasNotDeliveredItBeforeItsCommit() {
        AtomicInteger runs = new AtomicInteger();
        StepVerifier.create(shard.inTransaction(
                        TransactionOptions.DEFAULTS.withRetries(2),
                        connection -> number(connection, "select 7")
                                .concatWith(runs.incrementAndGet() == 1 ? conflict(connection) : Mono.empty())))
                .expectNext(7L)
                .expectComplete()
                .verify(TIMEOUT);
        assertThat(runs).hasValue(2);
    }

    @Test
    void retriesOfATransactionHaveANumber() {
        AtomicInteger runs = new AtomicInteger();
        StepVerifier.create(shard.inTransaction(TransactionOptions.DEFAULTS.withRetries(2), connection -> {
                    runs.incrementAndGet();
                    return conflict(connection);
                }))
                .expectErrorSatisfies(error -> assertThat(sqlState(error)).isEqualTo("40001"))
                .verify(TIMEOUT);
        assertThat(runs).hasValue(3);
    }

    @Test
    void timeLimitEndsRetriesToo() {
        AtomicInteger runs = new AtomicInteger();
        shard.update(Query.of("select 1")).block(TIMEOUT);
        long start = System.nanoTime();
        StepVerifier.create(shard.timeout(Duration.ofSeconds(1))
                        .inTransaction(TransactionOptions.DEFAULTS.withRetries(1000), connection -> {
                            runs.incrementAndGet();
                            return conflict(connection);
                        }))
                .expectErrorSatisfies(error -> assertThat(error).hasMessageContaining("gave no answer for PT1S"))
                .verify(TIMEOUT);
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
        assertThat(runs).hasValueBetween(2, 20);
        int then = runs.get();
        TestClusters.awaitQuiet(cluster, SHARDS, APP);
        assertThat(runs).hasValue(then);
    }

    @ParameterizedTest
    @ValueSource(strings = {"23505", "42P01", "22012", "55P03", "57014"})
    void otherAnswersOfTheServerAreFinal(String state) {
        AtomicInteger runs = new AtomicInteger();
        StepVerifier.create(shard.inTransaction(TransactionOptions.DEFAULTS.withRetries(3), connection -> {
                    runs.incrementAndGet();
                    return raise(connection, state);
                }))
                .expectErrorSatisfies(error -> assertThat(sqlState(error)).isEqualTo(state))
                .verify(TIMEOUT);
        assertThat(runs).hasValue(1);
        assertThat(retried).isEmpty();
    }

    @Test
    void updateWhoseConnectionBreaksIsNotRunAgain() throws Exception {
        CompletableFuture<Long> broken = slowAdd(shard);
        terminate("pg_sleep");
        assertThat(broken)
                .failsWithin(TIMEOUT)
                .withThrowableOfType(ExecutionException.class)
                .satisfies(error -> assertThat(FailureKind.of(error.getCause())).isEqualTo(FailureKind.BROKEN));
        assertThat(retried).isEmpty();
        assertThat(TestClusters.number(server, "select balance from account where id = 1"))
                .isEqualTo(100);
    }

    @Test
    void idempotentUpdateWhoseConnectionBreaksIsRunAgain() throws Exception {
        CompletableFuture<Long> broken = slowAdd(shard.idempotent());
        terminate("pg_sleep");
        assertThat(broken).succeedsWithin(TIMEOUT).isEqualTo(1L);
        assertThat(retried).singleElement().extracting(FailureKind::of).isEqualTo(FailureKind.BROKEN);
        assertThat(TestClusters.number(server, "select balance from account where id = 1"))
                .isEqualTo(101);
    }

    @Test
    void idempotentQueryThatHasDeliveredIsNotRunAgain() {
        Query query =
                Query.of("select n from generate_series(1, 1000) n order by n").fetchSize(10);
        StepVerifier.create(shard.idempotent().query(query, row -> row.get(0, Integer.class)), 5)
                .expectNext(1, 2, 3, 4, 5)
                .then(() -> terminate("generate_series"))
                .thenRequest(Long.MAX_VALUE)
                .thenConsumeWhile(row -> true)
                .expectErrorSatisfies(error -> assertThat(FailureKind.of(error)).isEqualTo(FailureKind.BROKEN))
                .verify(TIMEOUT);
        assertThat(retried).isEmpty();
    }

    @Test
    void budgetThatIsUsedUpEndsRetries() throws Exception {
        cluster.close().block(TIMEOUT);
        open(RetrySettings.DEFAULTS.withPercent(0).withPerSecond(0));
        CompletableFuture<Long> broken = slowAdd(shard.idempotent());
        terminate("pg_sleep");
        assertThat(broken).failsWithin(TIMEOUT);
        AtomicInteger runs = new AtomicInteger();
        StepVerifier.create(shard.inTransaction(TransactionOptions.DEFAULTS.withRetries(3), connection -> {
                    runs.incrementAndGet();
                    return conflict(connection);
                }))
                .expectErrorSatisfies(error -> assertThat(sqlState(error)).isEqualTo("40001"))
                .verify(TIMEOUT);
        assertThat(runs).hasValue(1);
        assertThat(retried).isEmpty();
    }

    @Test
    void refusalOfAReadOnlyPrimaryIsFinal() throws Exception {
        TestClusters.sql(
                server,
                "set default_transaction_read_only = off; alter role " + server.username()
                        + " set default_transaction_read_only = on");
        try {
            StepVerifier.create(shard.idempotent().update(Query.of(add(1))))
                    .expectErrorSatisfies(error -> assertThat(sqlState(error)).isEqualTo("25006"))
                    .verify(TIMEOUT);
            assertThat(retried).isEmpty();
        } finally {
            superuser("alter role " + server.username() + " reset default_transaction_read_only");
        }
    }

    @Test
    void commitWhoseAnswerIsLostIsNotRunAgain() throws Exception {
        superuser("alter system set synchronous_standby_names = 'nobody'", "select pg_reload_conf()");
        try {
            await(
                    "commits wait",
                    TIMEOUT,
                    () -> !"".equals(text("select current_setting('synchronous_standby_names')")));
            AtomicInteger runs = new AtomicInteger();
            CompletableFuture<Long> transaction = shard.inTransaction(
                            TransactionOptions.DEFAULTS.withRetries(3), connection -> {
                                runs.incrementAndGet();
                                return run(connection, add(1));
                            })
                    .toFuture();
            await(
                    "it commits",
                    TIMEOUT,
                    () -> TestClusters.number(
                                    server,
                                    "select count(*) from pg_stat_activity where wait_event = 'SyncRep' and application_name = '"
                                            + APP + "'")
                            == 1);
            TestClusters.number(
                    server,
                    "select count(pg_terminate_backend(pid)) from pg_stat_activity where wait_event = 'SyncRep'"
                            + " and application_name = '" + APP + "'");
            assertThat(transaction).failsWithin(TIMEOUT);
            assertThat(runs).hasValue(1);
            assertThat(retried).isEmpty();
            assertThat(TestClusters.number(server, "select balance from account where id = 1"))
                    .as("it had taken effect")
                    .isEqualTo(101);
        } finally {
            superuser("alter system reset synchronous_standby_names", "select pg_reload_conf()");
        }
    }

    private CompletableFuture<Long> slowAdd(ShardOperations operations) {
        CompletableFuture<Long> future = operations
                .update(Query.of(
                        "update account set balance = balance + 1 where id = 1 and (select true from pg_sleep(1))"))
                .toFuture();
        await("it runs", TIMEOUT, () -> running("pg_sleep") == 1);
        return future;
    }

    private long running(String text) {
        return TestClusters.number(
                server,
                "select count(*) from pg_stat_activity where state <> 'idle' and application_name = '" + APP
                        + "' and query like '%" + text + "%'");
    }

    private void terminate(String text) {
        assertThat(TestClusters.number(
                        server,
                        "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = '" + APP
                                + "' and query like '%" + text + "%'"))
                .isEqualTo(1);
    }

    private String text(String sql) {
        try (var connection = server.openJdbc();
                var statement = connection.createStatement();
                var result = statement.executeQuery(sql)) {
            result.next();
            return result.getString(1);
        } catch (SQLException e) {
            return fail(e);
        }
    }

    private void superuser(String... statements) throws SQLException {
        try (var connection = server.openSuperuserJdbc();
                var statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private static String add(int id) {
        return "update account set balance = balance + 1 where id = " + id;
    }

    private static <T> Mono<T> conflict(Connection connection) {
        return raise(connection, "40001");
    }

    /** As the server raises it itself, but without the work that this takes. */
    private static <T> Mono<T> raise(Connection connection, String state) {
        return run(connection, "do $$ begin raise sqlstate '" + state + "'; end $$")
                .then(Mono.empty());
    }

    private static Mono<Long> run(Connection connection, String sql) {
        return Flux.from(connection.createStatement(sql).execute())
                .concatMap(result -> result.getRowsUpdated())
                .reduce(0L, Long::sum);
    }

    private static Mono<Long> number(Connection connection, String sql) {
        return Flux.from(connection.createStatement(sql).execute())
                .concatMap(result -> result.map(row -> row.get(0, Long.class)))
                .single();
    }

    private static String sqlState(Throwable error) {
        return error instanceof R2dbcException refusal ? refusal.getSqlState() : null;
    }
}
