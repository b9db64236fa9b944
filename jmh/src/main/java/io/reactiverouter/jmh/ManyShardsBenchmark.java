package io.reactiverouter.jmh;

import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.topology.Shard;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
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
 * What do routing and the accounts of a scatter-gather cost with 10, 100 and 1000 shards? A simulation: the routes are those of
 * a cluster whose servers nobody asks, and a scatter-gather gets one row of each of {@link MemoryShards}, so that nearly all of
 * its time goes into turns, tallies and subscriptions. Pools, the driver and the network are not in it.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -jar jmh/target/benchmarks.jar ManyShardsBenchmark -prof gc
 * }</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class ManyShardsBenchmark {

    private static final int KEYS = 1 << 12;
    private static final Duration LIMIT = Duration.ofSeconds(10);

    /** Number of shards. */
    @Param({"10", "100", "1000"})
    public int shards;

    private final List<ShardKey> keys =
            LongStream.range(0, KEYS).mapToObj(ShardKey::of).toList();
    private @Nullable MemoryShards memory;
    private @Nullable ShardCluster cluster;
    private @Nullable ShardRouter router;
    private int next;

    /** Makes the shards. */
    @Setup
    public void prepare() {
        memory = new MemoryShards(shards, shards);
        ShardCluster.Builder builder = ShardCluster.builder();
        for (int i = 0; i < shards; i++) {
            builder.shard(Shard.named("s" + i).primary("r2dbc:postgresql://app@127.0.0.1:1/app"));
        }
        ShardCluster built = builder.build();
        cluster = built;
        router = built.router(Keyspace.named("accounts").key("account_id"));
        long all = shards * (shards - 1L) / 2;
        if (scatterInOrder() != all || scatterAsTheyCome() != all) {
            throw new IllegalStateException("rows are missing");
        }
    }

    /** Ends the cluster. */
    @TearDown
    public void stop() {
        Objects.requireNonNull(cluster).close().block(LIMIT);
    }

    /** The shard of a key, by hash slots. */
    @Benchmark
    public Object route() {
        next = (next + 1) & (KEYS - 1);
        return Objects.requireNonNull(router).route(keys.get(next));
    }

    /** One row of each shard, sixteen shards at a time. */
    @Benchmark
    public long scatterAsTheyCome() {
        return Objects.requireNonNull(Objects.requireNonNull(memory)
                .asTheyCome()
                .reduce(0L, Long::sum)
                .block());
    }

    /** One row of each shard, merged in order. */
    @Benchmark
    public long scatterInOrder() {
        return Objects.requireNonNull(
                Objects.requireNonNull(memory).ordered().reduce(0L, Long::sum).block());
    }
}
