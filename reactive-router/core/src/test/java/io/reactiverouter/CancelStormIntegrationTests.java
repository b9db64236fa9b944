package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.awaitQuiet;
import static io.reactiverouter.TestClusters.over;
import static io.reactiverouter.order.SortKey.asc;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.ResourceLeakDetector;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.connection.PoolStatistics;
import io.reactiverouter.observation.ClusterListener;
import io.reactiverouter.scatter.FailurePolicy;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.NodeId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Scatter-gathers that are cancelled at any moment, from several threads. */
@Tag("undisturbed")
@NullUnmarked
class CancelStormIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(4);

    private static final String APP = "storm-tests";
    private static final int THREADS = 3;

    /** So many calls are cancelled; {@code -Dstorm=100000} is the full storm. */
    private static final int CANCELS = Integer.getInteger("storm", 750);

    /** So many values are asked for afterwards; {@code -Dechoes=100000} is the full test. */
    private static final int ECHOES = Integer.getInteger("echoes", 5_000);

    private static final Duration LIMIT = Duration.ofMinutes(Long.getLong("storm.minutes", 5));

    @Test
    @Timeout(value = 2, unit = TimeUnit.HOURS)
    void everythingIsAsBefore() throws Exception {
        TestClusters.sql(
                SHARDS, "create table rows_ as select n as id, md5(n::text) as text from generate_series(1, 300) n");
        TestClusters.sql(SHARDS, "alter table rows_ add primary key (id)");
        NettyLeaks.assertNone(
                ResourceLeakDetector.Level.valueOf(System.getProperty("storm.leaks", "PARANOID")),
                CancelStormIntegrationTests::stormAndLook);
    }

    private static void stormAndLook() throws Exception {
        Map<String, AtomicLong> closed = new ConcurrentHashMap<>();
        ShardCluster cluster = over(SHARDS, APP)
                .listener(new ClusterListener() {
                    @Override
                    public void discarded(NodeId node, String reason) {
                        closed.computeIfAbsent(reason, added -> new AtomicLong())
                                .incrementAndGet();
                    }
                })
                .pool(PoolSettings.DEFAULTS.withMaxSize(12).withMinSize(12).withMaxPending(10_000))
                .build();
        try {
            ShardRouter router = cluster.router(Keyspace.named("rows").key("id").strategy(ShardingStrategy.modulo()));
            cluster.warmup().block(TIMEOUT);
            Map<String, AtomicLong> ends = storm(router);

            System.err.println(ends + " closed " + closed);
            awaitQuiet(cluster, SHARDS, APP);
            assertThat(ends.keySet())
                    .as("how calls ended: %s", ends)
                    .contains("cancelled", "complete")
                    .hasSize(2);
            assertThat(closed).as("connections that were closed").isEmpty();
            assertThat(router.allShards()
                            .query(Query.of("select count(*) from rows_"), row -> row.get(0, Long.class))
                            .collectList()
                            .block(Duration.ofSeconds(1)))
                    .containsOnly(300L)
                    .hasSize(4);
            for (var shard : cluster.shards()) {
                PoolStatistics pool = cluster.poolStatistics(shard.primary().id());
                assertThat(pool.acquired()).isZero();
                assertThat(pool.pending()).isZero();
                assertThat(pool.allocated()).isLessThanOrEqualTo(12);
            }
            // The other level takes a stack trace for each use of a buffer.
            ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.SIMPLE);
            everyEchoIsTheCallersOwn(router);
        } finally {
            cluster.close().block(TIMEOUT);
        }
    }

    /** An answer that a cancelled call has left on a connection would be taken for that of the next one. */
    private static void everyEchoIsTheCallersOwn(ShardRouter router) {
        Random random = new Random(11);
        long start = System.nanoTime();
        List<String> others = Flux.range(0, ECHOES)
                .flatMap(
                        i -> {
                            long nonce = random.nextLong();
                            return echo(router.shard(ShardKey.of(i)), i, nonce)
                                    .defaultIfEmpty("nothing")
                                    .map(echo -> echo.equals(Long.toString(nonce)) ? "right" : nonce + " got " + echo);
                        },
                        64)
                .groupBy(answer -> answer)
                .flatMap(same -> same.count().map(count -> same.key() + " x " + count))
                .collectList()
                .block(LIMIT);
        System.err.println(ECHOES + " echoes in " + Duration.ofNanos(System.nanoTime() - start));
        assertThat(others).containsExactly("right x " + ECHOES);
    }

    /** In the four ways in which the driver asks. */
    private static Mono<String> echo(ShardOperations shard, int number, long nonce) {
        Query literal = Query.of("select '" + nonce + "'");
        Query parameter = Query.of("select $1::text", Long.toString(nonce));
        return switch (number % 4) {
            case 0 -> shard.queryOne(parameter, row -> row.get(0, String.class));
            case 1 -> shard.queryOne(literal, row -> row.get(0, String.class));
            case 2 ->
                shard.query(parameter.fetchSize(1), row -> row.get(0, String.class))
                        .single();
            default -> shard.inTransaction(connection -> parameter.fetch(connection, row -> row.get(0, String.class)));
        };
    }

    private static Map<String, AtomicLong> storm(ShardRouter router) throws InterruptedException {
        Map<String, AtomicLong> ends = new ConcurrentHashMap<>();
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        for (int t = 0; t < THREADS; t++) {
            int seed = t;
            threads.execute(() -> {
                Random random = new Random(seed);
                for (int cancels = 0; cancels < (CANCELS + THREADS - 1) / THREADS; ) {
                    String[] end = {"cancelled"};
                    Disposable call = call(router, random)
                            .subscribe(row -> {}, error -> end[0] = error.toString(), () -> end[0] = "complete");
                    // Half of them early: before and while connections are taken, and before the first row.
                    // One in ten is not cancelled, and must get its answer in the middle of all the others' noise.
                    boolean patient = random.nextInt(10) == 0;
                    long until = System.nanoTime()
                            + (patient
                                    ? TIMEOUT.toNanos()
                                    : random.nextInt(random.nextBoolean() ? 2_000_000 : 60_000_000));
                    while (System.nanoTime() < until && !call.isDisposed()) {
                        LockSupport.parkNanos(10_000);
                    }
                    call.dispose();
                    String how = end[0];
                    cancels += how.equals("cancelled") ? 1 : 0;
                    ends.computeIfAbsent(how, added -> new AtomicLong()).incrementAndGet();
                }
            });
        }
        threads.shutdown();
        assertThat(threads.awaitTermination(LIMIT.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
        return ends;
    }

    private static Flux<?> call(ShardRouter router, Random random) {
        ScatterOperations all = router.allShards();
        int last = 1 + random.nextInt(300);
        // With and without parameters: the driver sends these differently.
        Query query = random.nextBoolean()
                ? Query.of("select id, text from rows_ where id <= $1", last)
                : Query.of("select id, text from rows_ where id <= " + 100 * (1 + random.nextInt(3)));
        Query portions = query.fetchSize(List.of(0, 7, 50, 1_024).get(random.nextInt(4)));
        return switch (random.nextInt(6)) {
            case 0 -> all.orderBy(asc("id")).query(portions, row -> row.get(1, String.class));
            case 1 ->
                all.orderBy(asc("text").collateC())
                        .limit(1 + random.nextInt(30))
                        .query(portions, row -> row.get(1, String.class));
            case 2 -> all.onFailure(FailurePolicy.BEST_EFFORT).gather(portions, row -> row.get(1, String.class));
            case 3 ->
                all.sequential()
                        .query(portions, row -> row.get(1, String.class))
                        .take(random.nextInt(500));
            case 4 ->
                all.orderBy(asc("id"))
                        .page(20)
                        .query(portions, row -> row.get(0, Integer.class))
                        .flux();
            default -> all.query(portions, row -> row.get(1, String.class)).limitRate(10);
        };
    }
}
