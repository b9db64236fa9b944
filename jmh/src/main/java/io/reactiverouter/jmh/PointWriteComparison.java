package io.reactiverouter.jmh;

/**
 * How fast is an update by primary key, routed and through its peers? See {@link SingleShard} and {@link SingleShardOptions}.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -cp jmh/target/benchmarks.jar io.reactiverouter.jmh.PointWriteComparison
 * java -cp jmh/target/benchmarks.jar io.reactiverouter.jmh.PointWriteComparison --rate 2000 --rounds 20 --warmup 5
 * }</pre>
 */
public final class PointWriteComparison {

    private PointWriteComparison() {}

    /** Measures and prints. */
    public static void main(String... arguments) throws Exception {
        SingleShard.compare("point-write", "How fast is an update by primary key?", Operation.WRITE, 8_192, arguments);
    }
}
