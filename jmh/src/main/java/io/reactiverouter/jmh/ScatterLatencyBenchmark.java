package io.reactiverouter.jmh;

import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.scatter.FailurePolicy;
import io.reactiverouter.test.EmbeddedShards;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.topology.Shard;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * How long does a scatter-gather take beyond its slowest shard? Eight shards that answer in 20 ms each, against one of them
 * alone; and with one that would take two seconds, left out after 100 ms.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -jar jmh/target/benchmarks.jar ScatterLatencyBenchmark
 * }</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2, time = 3)
@Measurement(iterations = 5, time = 3)
@Fork(1)
public class ScatterLatencyBenchmark {

    private static final int SHARDS = 8;
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final Query SLEEP = Query.of("select pg_sleep(0.02)");

    private @Nullable EmbeddedShards shards;
    private @Nullable ShardCluster cluster;
    private @Nullable Query slowOnOne;

    /** Starts the shards. */
    @Setup
    public void start() {
        EmbeddedShards started = EmbeddedShards.start(SHARDS);
        shards = started;
        ShardCluster.Builder builder = ShardCluster.builder();
        for (ShardNode node : started.nodes()) {
            builder.shard(Shard.named(node.name()).primary(node.r2dbcUrl()));
        }
        ShardCluster built = builder.build();
        built.warmup().block(LIMIT);
        cluster = built;
        slowOnOne = Query.of(
                "select pg_sleep(case current_setting('port')::int when $1 then 2 else 0.02 end)",
                started.node(SHARDS - 1).port());
    }

    /** Ends everything. */
    @TearDown
    public void stop() {
        Objects.requireNonNull(cluster).close().block(LIMIT);
        Objects.requireNonNull(shards).close();
    }

    private ShardCluster cluster() {
        return Objects.requireNonNull(cluster);
    }

    /** One shard. */
    @Benchmark
    public @Nullable Object oneShard() {
        return cluster()
                .shard(cluster().shards().get(0).id())
                .query(SLEEP, row -> 1)
                .blockLast(LIMIT);
    }

    /** All shards. */
    @Benchmark
    public @Nullable Object allShards() {
        return cluster().allShards().query(SLEEP, row -> 1).blockLast(LIMIT);
    }

    /** All shards, of which one is too slow. */
    @Benchmark
    public @Nullable Object allShardsButOne() {
        return cluster()
                .allShards()
                .onFailure(FailurePolicy.BEST_EFFORT)
                .shardTimeout(Duration.ofMillis(100))
                .query(Objects.requireNonNull(slowOnOne), row -> 1)
                .blockLast(LIMIT);
    }
}
