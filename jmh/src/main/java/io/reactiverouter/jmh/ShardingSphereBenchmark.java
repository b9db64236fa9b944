package io.reactiverouter.jmh;

import io.reactiverouter.test.EmbeddedShards;
import java.sql.SQLException;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
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
 * Which is faster, Reactive Router or ShardingSphere-JDBC? A million rows of two shards in order, in portions of 1 024, and a
 * group by over them with a thousand groups. Both read the same tables and map each row to the same record, and have to give
 * the same answers before anything is measured. How ShardingSphere is set up, and why: {@link ShardingSphereReader}.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -jar jmh/target/benchmarks.jar ShardingSphereBenchmark
 * }</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2, time = 10)
@Measurement(iterations = 5, time = 10)
@Fork(1)
public class ShardingSphereBenchmark {

    private static final int ROWS = 1_000_000;

    /** Who reads. */
    @Param
    public Library library = Library.REACTIVE_ROUTER;

    private @Nullable EmbeddedShards shards;
    private @Nullable OrderReader reader;

    /** Starts the shards, fills them and compares the answers. */
    @Setup
    public void start() throws SQLException {
        EmbeddedShards started = OrderShards.start(ROWS);
        shards = started;
        OrderShards.compare(started, ROWS);
        reader = library.open(library.urls(started));
    }

    /** Ends everything. */
    @TearDown
    public void stop() throws SQLException {
        Objects.requireNonNull(reader).close();
        Objects.requireNonNull(shards).close();
    }

    /** All rows in order. */
    @Benchmark
    public long orderedScan() throws SQLException {
        return Objects.requireNonNull(reader).scan().checksum();
    }

    /** A thousand groups. */
    @Benchmark
    public long groupBy() throws SQLException {
        return Objects.requireNonNull(reader).totals().checksum();
    }
}
