package io.reactiverouter.jmh;

/**
 * What does routing add to a transaction of an update and an insert? {@link TransactionComparison} has other peers.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -jar jmh/target/benchmarks.jar TransactionBenchmark -prof gc
 * }</pre>
 */
public class TransactionBenchmark extends RoutedBenchmark {

    /** Posts. */
    public TransactionBenchmark() {
        super(Operation.POST);
    }
}
