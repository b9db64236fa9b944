package io.reactiverouter.jmh;

import java.sql.SQLException;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What does routing add to a read by primary key, and what do meters? See {@link PointReads}; where the machine is noisy,
 * {@link ReadRatios} compares better.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -jar jmh/target/benchmarks.jar PointReadBenchmark -prof gc
 * }</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 5, time = 3)
@Measurement(iterations = 5, time = 3)
@Fork(3)
public class PointReadBenchmark {

    private @Nullable PointReads reads;

    /** Starts two shards and fills them. */
    @Setup
    public void start() throws SQLException {
        reads = PointReads.start();
    }

    /** Stops everything. */
    @TearDown
    public void stop() {
        Objects.requireNonNull(reads).close();
    }

    /** Reads through the router. */
    @Benchmark
    @OperationsPerInvocation(PointReads.READS)
    public long routed() {
        return Objects.requireNonNull(reads).routed();
    }

    /** Reads through a router that is metered as by the starter. */
    @Benchmark
    @OperationsPerInvocation(PointReads.READS)
    public long metered() {
        return Objects.requireNonNull(reads).metered();
    }

    /** Reads with the pool by hand. */
    @Benchmark
    @OperationsPerInvocation(PointReads.READS)
    public long byHand() {
        return Objects.requireNonNull(reads).byHand();
    }
}
