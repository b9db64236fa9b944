package io.reactiverouter.jmh;

import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.test.EmbeddedShards;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.topology.Shard;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Does the throughput of point reads grow with the number of shards? Each read keeps its connection for 10 ms on the server,
 * and each shard has a pool of four connections, so that a shard can give at most 400 reads a second: far less than the
 * machine could. Keys are random and placed by hash slots; 64 reads are in flight for each shard, and those that are still
 * under way at the end of a batch are cancelled. An operation is a read divided by the number of shards, so that
 * the ratio to one shard is 1 if throughput is linear.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -cp jmh/target/benchmarks.jar io.reactiverouter.jmh.Scaling --rounds 20 --warmup 3
 * }</pre>
 */
public final class Scaling {

    private static final int[] SHARDS = {1, 3, 6};
    private static final int POOL = 4;
    private static final int IN_FLIGHT = 64;
    private static final int ROWS = 100_000;
    private static final Duration BATCH = Duration.ofSeconds(2);
    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final String SQL = "select balance from accounts, pg_sleep(0.01) where account_id = $1";

    private Scaling() {}

    /** Measures and prints; takes the options of {@link Comparison}. */
    public static void main(String... arguments) throws Exception {
        List<ShardCluster> clusters = new ArrayList<>();
        try (EmbeddedShards shards = EmbeddedShards.start(SHARDS[SHARDS.length - 1])) {
            Comparison comparison = Comparison.of(
                    "scaling", "Does throughput grow with the number of shards? An operation is a read for each shard");
            for (ShardNode node : shards.nodes()) {
                node.execute("create table accounts (account_id bigint primary key, balance bigint not null)");
                // On every shard: which one is asked depends on how many there are.
                node.execute("insert into accounts select n, n from generate_series(0, " + (ROWS - 1) + ") n");
                node.execute("vacuum analyze accounts");
            }
            for (int count : SHARDS) {
                ShardCluster cluster = open(shards.nodes().subList(0, count));
                clusters.add(cluster);
                ShardRouter router = cluster.router(Keyspace.named("accounts").key("account_id"));
                comparison.side(name(count), () -> reads(router, count * IN_FLIGHT) / count);
                if (count > 1) {
                    comparison.ratio(name(count), name(SHARDS[0]));
                }
            }
            comparison.run(arguments);
        } finally {
            clusters.forEach(cluster -> cluster.close().block(LIMIT));
        }
    }

    private static String name(int shards) {
        return "each of " + shards;
    }

    private static ShardCluster open(List<ShardNode> nodes) {
        ShardCluster.Builder builder = ShardCluster.builder()
                .pool(PoolSettings.DEFAULTS.withMinSize(POOL).withMaxSize(POOL));
        nodes.forEach(node -> builder.shard(Shard.named(node.name()).primary(node.r2dbcUrl())));
        ShardCluster cluster = builder.build();
        cluster.warmup().block(LIMIT);
        return cluster;
    }

    private static long reads(ShardRouter router, int inFlight) {
        return Objects.requireNonNull(Flux.range(0, Integer.MAX_VALUE)
                .flatMap(i -> read(router, ThreadLocalRandom.current().nextLong(ROWS)), inFlight)
                .take(BATCH)
                .count()
                .block(LIMIT));
    }

    private static Mono<Long> read(ShardRouter router, long key) {
        return router.shard(ShardKey.of(key))
                .queryOne(Query.of(SQL, key), row -> Objects.requireNonNull(row.get(0, Long.class)))
                .doOnNext(balance -> {
                    if (balance != key) {
                        throw new IllegalStateException("account " + key + " has " + balance);
                    }
                });
    }
}
