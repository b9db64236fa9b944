package io.reactiverouter.jmh;

import static io.reactiverouter.order.SortKey.asc;

import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.test.EmbeddedShards;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.topology.Shard;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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
 * Does an ordered merge need memory for its rows? Ten million rows over four shards in one order, in a JVM with 64 MB of heap
 * and 64 MB beside it for buffers. Prints what is in use after a collection at every million rows.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -jar jmh/target/benchmarks.jar MergeMemoryBenchmark
 * }</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 0)
@Measurement(iterations = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"-Xmx64m", "-XX:MaxDirectMemorySize=64m"})
public class MergeMemoryBenchmark {

    private static final int SHARDS = 4;
    private static final int ROWS = 10_000_000;
    private static final int EVERY = 1_000_000;
    private static final Duration LIMIT = Duration.ofMinutes(5);

    private @Nullable EmbeddedShards shards;
    private @Nullable ShardCluster cluster;

    /** Starts the shards. */
    @Setup
    public void start() {
        EmbeddedShards started = EmbeddedShards.start(SHARDS);
        shards = started;
        ShardCluster.Builder builder = ShardCluster.builder().callTimeout(LIMIT);
        for (ShardNode node : started.nodes()) {
            builder.shard(Shard.named(node.name()).primary(node.r2dbcUrl()));
        }
        cluster = builder.build();
    }

    /** Ends everything. */
    @TearDown
    public void stop() {
        Objects.requireNonNull(cluster).close().block(LIMIT);
        Objects.requireNonNull(shards).close();
    }

    /** Returns the number of rows. */
    @Benchmark
    public long tenMillionRows() {
        List<Long> heap = new ArrayList<>();
        long[] last = {0};
        Query rows = Query.of(
                "select generate_series(1, $1) as n, 'some text that makes the row as wide as rows often are' as note",
                ROWS / SHARDS);
        long count = Objects.requireNonNull(Objects.requireNonNull(cluster)
                .allShards()
                .sortedBy(asc("n"))
                .query(rows, row -> {
                    row.get(1, String.class);
                    return Objects.requireNonNull(row.get(0, Integer.class)).longValue();
                })
                .reduce(0L, (seen, n) -> {
                    if (n < last[0]) {
                        throw new IllegalStateException(n + " came after " + last[0]);
                    }
                    last[0] = n;
                    if ((seen + 1) % EVERY == 0) {
                        System.gc();
                        heap.add(ManagementFactory.getMemoryMXBean()
                                        .getHeapMemoryUsage()
                                        .getUsed()
                                / 1_000);
                    }
                    return seen + 1;
                })
                .block(LIMIT));
        System.out.println("rows " + count + ", heap in use after every million, kB: " + heap);
        return count;
    }
}
