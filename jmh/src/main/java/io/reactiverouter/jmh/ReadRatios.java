package io.reactiverouter.jmh;

import java.util.function.LongSupplier;

/**
 * What part of the throughput by hand is left with routing, and of that with meters? See {@link PointReads}.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -cp jmh/target/benchmarks.jar io.reactiverouter.jmh.ReadRatios --rounds 200
 * }</pre>
 */
public final class ReadRatios {

    private ReadRatios() {}

    /** Measures and prints; takes the options of {@link Comparison}. */
    public static void main(String... arguments) throws Exception {
        try (PointReads reads = PointReads.start()) {
            Comparison.of("routed-read", "What part of the throughput by hand is left with routing, and with meters?")
                    .side("by hand", batch(reads::byHand))
                    .side("routed", batch(reads::routed))
                    .side("routed", batch(reads::routedAgain))
                    .side("metered", batch(reads::metered))
                    .ratio("routed", "by hand")
                    .ratio("metered", "by hand")
                    .ratio("metered", "routed")
                    .run(arguments);
        }
    }

    private static Comparison.Batch batch(LongSupplier reads) {
        return () -> {
            reads.getAsLong();
            return PointReads.READS;
        };
    }
}
