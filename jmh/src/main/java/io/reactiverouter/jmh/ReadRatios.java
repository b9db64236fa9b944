package io.reactiverouter.jmh;

import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * What part of the throughput by hand is left with routing, and of that with meters? Batches of all sides in turn, in another
 * order each round, so that a machine that becomes slower is so for all of them; a side's throughput is set against the one by
 * hand of the same round. Prints medians and quartiles.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -cp jmh/target/benchmarks.jar io.reactiverouter.jmh.ReadRatios 200
 * }</pre>
 */
public final class ReadRatios {

    private static final int WARMUP_ROUNDS = 40;
    private static final int ROUNDS = 200;

    private ReadRatios() {}

    /**
     * Measures and prints.
     *
     * @param arguments the number of rounds, 200 by default
     */
    public static void main(String[] arguments) throws SQLException {
        int rounds = arguments.length == 0 ? ROUNDS : Integer.parseInt(arguments[0]);
        try (PointReads reads = PointReads.start()) {
            Side byHand = new Side("by hand", rounds, reads::byHand);
            Side routed = new Side("routed", rounds, reads::routed);
            Side again = new Side("routed again", rounds, reads::routedAgain);
            Side metered = new Side("metered", rounds, reads::metered);
            List<Side> sides = List.of(byHand, routed, again, metered);
            for (int round = 0; round < WARMUP_ROUNDS; round++) {
                sides.forEach(side -> side.run(0));
            }
            for (int round = 0; round < rounds; round++) {
                for (int i = 0; i < sides.size(); i++) {
                    sides.get((round + i) % sides.size()).run(round);
                }
            }
            sides.forEach(Side::print);
            routed.compare(byHand);
            again.compare(routed);
            metered.compare(byHand);
            metered.compare(routed);
            metered.compare(again);
        }
    }

    private static final class Side {

        private final String name;
        private final LongSupplier batch;
        private final double[] nanos;
        private long seen;

        Side(String name, int rounds, LongSupplier batch) {
            this.name = name;
            this.batch = batch;
            this.nanos = new double[rounds];
        }

        void run(int round) {
            long start = System.nanoTime();
            seen += batch.getAsLong();
            nanos[round] = System.nanoTime() - start;
        }

        void print() {
            double[] perSecond = Arrays.stream(nanos)
                    .map(batchNanos -> PointReads.READS * 1e9 / batchNanos)
                    .toArray();
            System.out.printf("%s: %s reads/s (sum %d)%n", name, quartiles(perSecond, "%.0f"), seen);
        }

        void compare(Side base) {
            double[] ratios = new double[nanos.length];
            Arrays.setAll(ratios, i -> base.nanos[i] / nanos[i]);
            System.out.printf("%s / %s: %s%n", name, base.name, quartiles(ratios, "%.3f"));
        }
    }

    private static String quartiles(double[] values, String format) {
        double[] sorted = Arrays.stream(values).sorted().toArray();
        return String.format(
                "median " + format + " (quartiles " + format + " to " + format + ")",
                at(sorted, 0.5),
                at(sorted, 0.25),
                at(sorted, 0.75));
    }

    private static double at(double[] sorted, double quantile) {
        return sorted[(int) (quantile * (sorted.length - 1))];
    }
}
