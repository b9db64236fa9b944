package io.reactiverouter.jmh;

/**
 * How fast is a transaction of an update and an insert, routed and through its peers? See {@link SingleShard} and {@link SingleShardOptions}.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -cp jmh/target/benchmarks.jar io.reactiverouter.jmh.TransactionComparison
 * java -cp jmh/target/benchmarks.jar io.reactiverouter.jmh.TransactionComparison --rate 1000 --rounds 20 --warmup 5
 * }</pre>
 */
public final class TransactionComparison {

    private TransactionComparison() {}

    /** Measures and prints. */
    public static void main(String... arguments) throws Exception {
        SingleShard.compare(
                "transaction",
                "How fast is a transaction of an update and an insert?",
                Operation.POST,
                4_096,
                arguments);
    }
}
