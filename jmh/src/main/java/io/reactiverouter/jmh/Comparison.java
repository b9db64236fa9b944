package io.reactiverouter.jmh;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Compares the throughput of several sides within one run. Each round runs one batch of every side, in another order, so that
 * a machine that becomes slower is so for all of them. A ratio is that of two sides in the same round; medians and quartiles
 * are taken over all rounds after the warm-up.
 *
 * <p>A side that is given twice is a control: it runs a second time in each round, and its ratio to itself shows the noise.
 *
 * <p>Options: {@code --rounds N}, 100 by default; {@code --warmup N}, 20 rounds by default; {@code --results FILE}, a JSON
 * file to which the result is added. Others are left to the caller.
 */
final class Comparison {

    private static final OperatingSystemMXBean PROCESS =
            ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    private static final String AGAIN = " again";

    private final String name;
    private final String question;
    private final Map<String, Side> sides = new LinkedHashMap<>();
    private final List<Pair> pairs = new ArrayList<>();
    private @Nullable String postgresql;

    /** A side runs one batch and returns the number of operations it did. */
    interface Batch {

        long run() throws Exception;
    }

    private record Pair(String side, String base) {}

    private Comparison(String name, String question) {
        this.name = name;
        this.question = question;
    }

    /**
     * Returns a comparison without sides.
     *
     * @param name its key among the results, as in {@code point-read}
     */
    static Comparison of(String name, String question) {
        return new Comparison(name, question);
    }

    /** Adds a side, or if there is one of this name already, a control of it and the ratio of the two. */
    Comparison side(String side, Batch batch) {
        return side(side, batch, null);
    }

    /** Adds a side whose batches record their latencies here; those of the warm-up are forgotten. */
    Comparison side(String side, Batch batch, @Nullable Latencies latencies) {
        String unique = sides.containsKey(side) ? side + AGAIN : side;
        if (sides.putIfAbsent(unique, new Side(batch, latencies)) != null) {
            throw new IllegalArgumentException("a side may be given twice, was given more often: " + side);
        }
        return unique.equals(side) ? this : ratio(unique, side);
    }

    /** Adds a ratio of throughputs, {@code side / base}. */
    Comparison ratio(String side, String base) {
        pairs.add(new Pair(side, base));
        return this;
    }

    /** Names the version of the servers, for the result. */
    Comparison postgresql(String version) {
        postgresql = version;
        return this;
    }

    /** Runs all rounds, prints a table, and adds the result to the file if there is one. */
    void run(String... arguments) throws Exception {
        ComparisonOptions options = ComparisonOptions.parse(arguments);
        for (Pair pair : pairs) {
            require(pair.side);
            require(pair.base);
        }
        Random random = new Random(1);
        rounds(options.warmup(), random);
        sides.values().forEach(Side::forget);
        rounds(options.rounds(), random);
        ComparisonResult result = result(options);
        System.out.println(result.table());
        if (options.results() != null) {
            ResultFile.add(options.results(), result);
        }
    }

    private void rounds(int rounds, Random random) throws Exception {
        List<Side> order = new ArrayList<>(sides.values());
        for (int round = 0; round < rounds; round++) {
            Collections.shuffle(order, random);
            for (Side side : order) {
                side.run();
            }
        }
    }

    private ComparisonResult result(ComparisonOptions options) {
        List<ComparisonResult.Side> measured = new ArrayList<>();
        sides.forEach((side, value) -> measured.add(value.result(side)));
        List<ComparisonResult.Ratio> ratios = pairs.stream()
                .map(pair -> new ComparisonResult.Ratio(
                        pair.side,
                        pair.base,
                        ratio(require(pair.side).throughput, require(pair.base).throughput),
                        require(pair.side).cpuMicros() / require(pair.base).cpuMicros(),
                        pair.side.equals(pair.base + AGAIN)))
                .toList();
        return new ComparisonResult(
                name, question, options.rounds(), options.warmup(), measured, ratios, Environment.here(postgresql));
    }

    private static Quartiles ratio(List<Double> side, List<Double> base) {
        List<Double> ratios = new ArrayList<>();
        for (int round = 0; round < side.size(); round++) {
            ratios.add(side.get(round) / base.get(round));
        }
        return Quartiles.of(ratios);
    }

    private Side require(String side) {
        Side found = sides.get(side);
        if (found == null) {
            throw new IllegalArgumentException("a ratio names sides, which are " + sides.keySet() + ", was " + side);
        }
        return found;
    }

    private static final class Side {

        private final Batch batch;
        private final @Nullable Latencies latencies;
        private final List<Double> throughput = new ArrayList<>();
        private long cpuNanos;
        private long operations;

        Side(Batch batch, @Nullable Latencies latencies) {
            this.batch = batch;
            this.latencies = latencies;
        }

        void run() throws Exception {
            long cpu = PROCESS.getProcessCpuTime();
            long start = System.nanoTime();
            long done = batch.run();
            throughput.add(done * 1e9 / (System.nanoTime() - start));
            cpuNanos += PROCESS.getProcessCpuTime() - cpu;
            operations += done;
        }

        void forget() {
            throughput.clear();
            cpuNanos = 0;
            operations = 0;
            if (latencies != null) {
                latencies.forget();
            }
        }

        double cpuMicros() {
            return cpuNanos / 1e3 / operations;
        }

        ComparisonResult.Side result(String side) {
            return new ComparisonResult.Side(
                    side, Quartiles.of(throughput), cpuMicros(), latencies == null ? null : latencies.percentiles());
        }
    }
}
