package io.reactiverouter.jmh;

/**
 * How fast is a read by primary key, routed and through its peers? See {@link SingleShard} and {@link SingleShardOptions}.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -cp jmh/target/benchmarks.jar io.reactiverouter.jmh.PointReadComparison
 * java -cp jmh/target/benchmarks.jar io.reactiverouter.jmh.PointReadComparison --rate 2000 --rounds 20 --warmup 5
 * }</pre>
 */
public final class PointReadComparison {

    private PointReadComparison() {}

    /** Measures and prints. */
    public static void main(String... arguments) throws Exception {
        SingleShard.compare("point-read", "How fast is a read by primary key?", Operation.READ, 16_384, arguments);
    }
}
