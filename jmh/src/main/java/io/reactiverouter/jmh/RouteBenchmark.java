package io.reactiverouter.jmh;

import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.health.HealthSettings;
import io.reactiverouter.routing.RoutingTable;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.topology.Shard;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What does it cost to route a call, before anything is sent? One key through the router's API and through the routing table
 * alone, a hundred keys, and all shards. The keys are made beforehand; hash slots. No server runs.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -jar jmh/target/benchmarks.jar RouteBenchmark -prof gc
 * }</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class RouteBenchmark {

    private static final String NAME = "accounts";
    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final int KEYS = 1 << 12;
    private static final int SEVERAL = 100;

    /** Number of shards. */
    @Param({"3", "64", "1024"})
    public int shards;

    private final ShardKey[] keys = new ShardKey[KEYS];
    private @Nullable RoutingTable table;
    private @Nullable ShardCluster cluster;
    private @Nullable ShardRouter router;
    private List<ShardKey> several = List.of();
    private int next;

    /** Makes keys, and a cluster whose nodes are not there. */
    @Setup
    public void prepare() {
        Random random = new Random(1);
        for (int i = 0; i < KEYS; i++) {
            keys[i] = ShardKey.of(random.nextLong());
        }
        several = Stream.of(keys).limit(SEVERAL).toList();
        List<Shard> all = IntStream.range(0, shards)
                .mapToObj(i -> Shard.named("s" + i).primary("r2dbc:postgresql://app@localhost:" + (1 + i) + "/app"))
                .toList();
        Keyspace keyspace = Keyspace.named(NAME).key("account_id");
        RoutingTable built = new RoutingTable(all);
        built.place(keyspace);
        table = built;
        ShardCluster.Builder builder =
                ShardCluster.builder().health(HealthSettings.DEFAULTS.withInterval(Duration.ofDays(1)));
        all.forEach(builder::shard);
        ShardCluster opened = builder.build();
        router = opened.router(keyspace);
        cluster = opened;
    }

    /** Ends the cluster. */
    @TearDown
    public void stop() {
        Objects.requireNonNull(cluster).close().block(LIMIT);
    }

    private ShardKey next() {
        next = (next + 1) & (KEYS - 1);
        return keys[next];
    }

    private RoutingTable table() {
        return Objects.requireNonNull(table);
    }

    private ShardRouter router() {
        return Objects.requireNonNull(router);
    }

    /** The routing table alone. */
    @Benchmark
    public Object oneKey() {
        return table().route(NAME, next());
    }

    /** {@code router.route(key)}. */
    @Benchmark
    public Object route() {
        return router().route(next());
    }

    /** {@code router.shard(key)}, which routes nothing yet. */
    @Benchmark
    public Object operations() {
        return router().shard(next());
    }

    /** {@code router.shard(key).locate()}, subscribed to. */
    @Benchmark
    public @Nullable Object locate() {
        return router().shard(next()).locate().block();
    }

    /** A hundred keys to their shards. */
    @Benchmark
    public Object hundredKeys() {
        return table().route(NAME, several);
    }

    /** All shards. */
    @Benchmark
    public Object allShards() {
        return table().routeAll(NAME);
    }
}
