package io.reactiverouter.jmh;

/**
 * What does routing add to an update by primary key? {@link PointWriteComparison} has other peers.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -jar jmh/target/benchmarks.jar PointWriteBenchmark -prof gc
 * }</pre>
 */
public class PointWriteBenchmark extends RoutedBenchmark {

    /** Writes. */
    public PointWriteBenchmark() {
        super(Operation.WRITE);
    }
}
