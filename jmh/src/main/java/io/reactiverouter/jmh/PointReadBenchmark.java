package io.reactiverouter.jmh;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;

/**
 * What does routing add to a read by primary key, and what do meters? Where the machine is noisy, {@link ReadRatios} compares
 * better; {@link PointReadComparison} has other peers.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -jar jmh/target/benchmarks.jar PointReadBenchmark -prof gc
 * }</pre>
 */
public class PointReadBenchmark extends RoutedBenchmark {

    /** Reads. */
    public PointReadBenchmark() {
        super(Operation.READ);
    }

    /** Through a router that is metered as by the starter. */
    @Benchmark
    @OperationsPerInvocation(OPERATIONS)
    public long metered() throws InterruptedException {
        return run(RouterClient::metered);
    }
}
