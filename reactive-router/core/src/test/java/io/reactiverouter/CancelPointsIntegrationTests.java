package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.acquired;
import static io.reactiverouter.TestClusters.await;
import static io.reactiverouter.TestClusters.busy;
import static io.reactiverouter.TestClusters.over;
import static io.reactiverouter.order.SortKey.asc;
import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardsExtension;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Subscription;
import reactor.core.Disposable;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Mono;

/**
 * A cancel at every point of a scatter-gather: the servers stop soon, and every connection is back, the same as before. Time
 * to stop is what the server needs after 50 ms of grace; a cancel in a burst of load may take longer, hence the limit.
 */
@Tag("undisturbed")
@NullUnmarked
class CancelPointsIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(2);

    private static final String APP = "cancel-point-tests";
    private static final Duration STOPS = Duration.ofMillis(250);

    private ShardCluster cluster;
    private List<Connection> watchers;
    private List<Integer> sessions;

    @BeforeEach
    void open() throws SQLException {
        cluster = over(SHARDS, APP).pool(PoolSettings.DEFAULTS.withMaxSize(1)).build();
        cluster.allShards()
                .orderBy(asc("n"))
                .query(Query.of("select 1 as n"), row -> 1)
                .blockLast(TIMEOUT);
        watchers = new ArrayList<>();
        for (ShardNode node : SHARDS.nodes()) {
            watchers.add(node.openJdbc());
        }
        sessions = sessions();
        assertThat(sessions).hasSize(2);
    }

    @AfterEach
    void sameConnectionsAsBefore() throws SQLException {
        await("all connections are back", Duration.ofMillis(500), () -> acquired(cluster) == 0);
        assertThat(sessions()).isEqualTo(sessions);
        assertThat(cluster.allShards()
                        .query(Query.of("select 7"), row -> row.get(0, Integer.class))
                        .collectList()
                        .block(Duration.ofSeconds(1)))
                .containsExactly(7, 7);
        cluster.close().block(TIMEOUT);
        for (Connection watcher : watchers) {
            watcher.close();
        }
    }

    private List<Integer> sessions() throws SQLException {
        List<Integer> pids = new ArrayList<>();
        for (Connection watcher : watchers) {
            try (PreparedStatement statement = watcher.prepareStatement(
                    "select pid from pg_stat_activity where application_name = ? order by 1")) {
                statement.setString(1, APP);
                ResultSet found = statement.executeQuery();
                while (found.next()) {
                    pids.add(found.getInt(1));
                }
            }
        }
        return pids;
    }

    private boolean isQuiet() {
        return watchers.stream().allMatch(watcher -> {
            try (PreparedStatement statement = watcher.prepareStatement(
                    "select count(*) from pg_stat_activity where application_name = ? and state <> 'idle'")) {
                statement.setString(1, APP);
                ResultSet found = statement.executeQuery();
                found.next();
                return found.getInt(1) == 0;
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private void assertStopped(long sinceNanos) {
        await("the servers have stopped", Duration.ofSeconds(5), this::isQuiet);
        assertThat(Duration.ofNanos(System.nanoTime() - sinceNanos)).isLessThan(STOPS);
    }

    @Test
    void atOnce() {
        Disposable call = sleeping().subscribe();
        long start = System.nanoTime();
        call.dispose();
        assertStopped(start);
    }

    @Test
    void whileAConnectionIsWaitedFor() {
        CountDownLatch holding = new CountDownLatch(1);
        Disposable holder = cluster.shard(cluster.shards().get(1).id())
                .withConnection(connection -> {
                    holding.countDown();
                    return Mono.never();
                })
                .subscribe();
        await("it is held", TIMEOUT, () -> holding.getCount() == 0);
        Disposable call = cluster.allShards()
                .orderBy(asc("n"))
                .query(Query.of("select generate_series(1, 100000000) as n"), row -> 1)
                .subscribe();
        await("the other shard waits", TIMEOUT, () -> busy(SHARDS.node(0), APP) == 1);
        long start = System.nanoTime();
        call.dispose();
        assertStopped(start);
        assertThat(cluster.poolStatistics(cluster.shards().get(1).primary().id())
                        .pending())
                .isZero();
        holder.dispose();
    }

    @Test
    void beforeTheFirstRow() {
        Disposable call = sleeping().subscribe();
        await("it runs", TIMEOUT, () -> IntStream.range(0, 2).allMatch(i -> busy(SHARDS.node(i), APP) == 1));
        long start = System.nanoTime();
        call.dispose();
        assertStopped(start);
    }

    private reactor.core.publisher.Flux<Integer> sleeping() {
        return cluster.allShards().query(Query.of("select pg_sleep(30)"), row -> 1);
    }

    /** With all rows at once, in portions, and with and without parameters, which the driver sends differently. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 10, 1_024})
    void inTheMiddleOfTheRows(int fetchSize) {
        for (Query query : List.of(
                Query.of("select n, pg_sleep(0.0001) from generate_series(1, 1000000) n"),
                Query.of("select n, pg_sleep(0.0001) from generate_series(1, $1) n", 1_000_000))) {
            cluster.allShards()
                    .query(query.fetchSize(fetchSize), row -> 1)
                    .take(5)
                    .blockLast(TIMEOUT);
            assertStopped(System.nanoTime());
        }
    }

    /** The subscriber has asked for nothing more: the servers wait with an open portal. */
    @ParameterizedTest
    @ValueSource(ints = {1, 10, 1_024})
    void betweenPortions(int fetchSize) throws InterruptedException {
        for (Query query : List.of(
                Query.of("select generate_series(1, 10000000) as n"),
                Query.of("select generate_series(1, $1) as n", 10_000_000))) {
            AtomicReference<Subscription> call = new AtomicReference<>();
            CountDownLatch three = new CountDownLatch(3);
            cluster.allShards()
                    .sortedBy(asc("n"))
                    .query(query.fetchSize(fetchSize), row -> 1)
                    .subscribe(new BaseSubscriber<>() {
                        @Override
                        protected void hookOnSubscribe(Subscription subscription) {
                            call.set(subscription);
                            subscription.request(3);
                        }

                        @Override
                        protected void hookOnNext(Integer value) {
                            three.countDown();
                        }
                    });
            assertThat(three.await(10, TimeUnit.SECONDS)).isTrue();
            Thread.sleep(100);
            long start = System.nanoTime();
            call.get().cancel();
            assertStopped(start);
            await("back", Duration.ofMillis(500), () -> acquired(cluster) == 0);
        }
    }

    @Test
    void afterATimeLimitOfOneShard() {
        long start = System.nanoTime();
        cluster.allShards()
                .shardTimeout(Duration.ofMillis(200))
                .query(Query.of("select pg_sleep(30)"), row -> 1)
                .onErrorComplete()
                .blockLast(TIMEOUT);
        assertStopped(start + Duration.ofMillis(200).toNanos());
    }

    @Test
    void afterADeadline() {
        long start = System.nanoTime();
        cluster.allShards()
                .deadline(Duration.ofMillis(200))
                .orderBy(asc("n"))
                .query(Query.of("select 1 as n, pg_sleep(30)"), row -> 1)
                .onErrorComplete()
                .blockLast(TIMEOUT);
        assertStopped(start + Duration.ofMillis(200).toNanos());
    }
}
