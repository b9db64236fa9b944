package io.reactiverouter.jmh;

import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.health.HealthSettings;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.test.EmbeddedShards;
import io.reactiverouter.topology.Shard;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/**
 * How long does a cluster of 1, 64 and 1024 shards take from its configuration to a router, and to the first answer? And what
 * does a shard take that nobody asks? The first shard is a real server; at the others nobody listens, and nobody asks them:
 * their probes are a month away. Each repetition is a JVM of its own, with the serial collector, in which nothing has been
 * loaded before the first cluster.
 *
 * <p>Heap is what is in use after collections, before and after a second cluster of the same kind, divided by its shards. The
 * first cluster has loaded the classes by then.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -cp jmh/target/benchmarks.jar io.reactiverouter.jmh.StartUp 11
 * }</pre>
 */
public final class StartUp {

    private static final int[] SHARDS = {1, 64, 1024};
    private static final int REPETITIONS = 11;
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final String NOBODY = "r2dbc:postgresql://app:app@127.0.0.1:1/app";

    private StartUp() {}

    /** What is measured. */
    private enum Figure {
        BUILD("from configuration to a router, cold, ms"),
        FIRST_ANSWER("from there to the first answer, cold, ms"),
        BUILD_AGAIN("from configuration to a router, second cluster, ms"),
        FIRST_ANSWER_AGAIN("from there to the first answer, second cluster, ms"),
        HEAP_BUILT("heap of the second cluster for each shard, built, bytes"),
        HEAP_ASKED("the same after the first answer, bytes"),
        THREADS_BUILT("threads that the second cluster has started, built"),
        THREADS_ASKED("the same after the first answer");

        private final String text;

        Figure(String text) {
            this.text = text;
        }
    }

    /** With the number of repetitions, or nothing, measures all; with a number of shards and a URL is one repetition. */
    public static void main(String... arguments) throws IOException, InterruptedException {
        if (arguments.length == 2) {
            repetition(Integer.parseInt(arguments[0]), arguments[1]);
        } else {
            measure(arguments.length == 0 ? REPETITIONS : Integer.parseInt(arguments[0]));
        }
    }

    private static void measure(int repetitions) throws IOException, InterruptedException {
        try (EmbeddedShards shards = EmbeddedShards.start(1)) {
            String url = shards.node(0).r2dbcUrl();
            List<Map<Figure, List<Double>>> measured = new ArrayList<>();
            for (int ignored : SHARDS) {
                measured.add(new EnumMap<>(Figure.class));
            }
            for (int repetition = 0; repetition < repetitions; repetition++) {
                for (int i = 0; i < SHARDS.length; i++) {
                    add(measured.get(i), run(SHARDS[i], url));
                }
            }
            System.out.printf("%d repetitions; medians (quartiles)%n", repetitions);
            for (int i = 0; i < SHARDS.length; i++) {
                print(SHARDS[i], measured.get(i));
            }
        }
    }

    private static void add(Map<Figure, List<Double>> measured, Map<Figure, Double> values) {
        values.forEach((figure, value) ->
                measured.computeIfAbsent(figure, added -> new ArrayList<>()).add(value));
    }

    private static void print(int shards, Map<Figure, List<Double>> measured) {
        measured.forEach((figure, values) -> {
            Quartiles quartiles = Quartiles.of(values);
            System.out.printf(
                    Locale.ROOT,
                    "%,5d shards, %s: %,.1f (%,.1f to %,.1f)%n",
                    shards,
                    figure.text,
                    quartiles.median(),
                    quartiles.lower(),
                    quartiles.upper());
        });
    }

    private static Map<Figure, Double> run(int shards, String url) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        StartUp.class.getName(),
                        Integer.toString(shards),
                        url)
                .redirectError(Redirect.INHERIT)
                .start();
        Map<Figure, Double> figures = new EnumMap<>(Figure.class);
        try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                int space = line.indexOf(' ');
                figures.put(Figure.valueOf(line.substring(0, space)), Double.valueOf(line.substring(space + 1)));
            }
        }
        if (process.waitFor() != 0 || figures.size() != Figure.values().length) {
            throw new IllegalStateException("a repetition with " + shards + " shards failed after " + figures);
        }
        return figures;
    }

    private static void repetition(int shards, String url) {
        Map<Figure, Double> figures = new EnumMap<>(Figure.class);
        try (Started cold = new Started(shards, url)) {
            figures.put(Figure.BUILD, cold.buildMillis);
            figures.put(Figure.FIRST_ANSWER, cold.ask());
        }
        long heap = heap();
        int threads = threads();
        try (Started again = new Started(shards, url)) {
            figures.put(Figure.BUILD_AGAIN, again.buildMillis);
            figures.put(Figure.HEAP_BUILT, (double) (heap() - heap) / shards);
            figures.put(Figure.THREADS_BUILT, (double) threads() - threads);
            figures.put(Figure.FIRST_ANSWER_AGAIN, again.ask());
            figures.put(Figure.HEAP_ASKED, (double) (heap() - heap) / shards);
            figures.put(Figure.THREADS_ASKED, (double) threads() - threads);
        }
        figures.forEach((figure, value) -> System.out.println(figure + " " + value));
    }

    private static int threads() {
        return ManagementFactory.getThreadMXBean().getThreadCount();
    }

    private static long heap() {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 4; i++) {
            System.gc();
            least = Math.min(
                    least,
                    ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
        }
        return least;
    }

    /** A cluster and the time that it took. */
    private static final class Started implements AutoCloseable {

        private final ShardCluster cluster;
        private final ShardRouter router;
        private final double buildMillis;

        Started(int shards, String url) {
            long start = System.nanoTime();
            ShardCluster.Builder builder =
                    ShardCluster.builder().health(HealthSettings.DEFAULTS.withInterval(Duration.ofDays(30)));
            for (int i = 0; i < shards; i++) {
                builder.shard(Shard.named("s" + i).primary(i == 0 ? url : NOBODY));
            }
            cluster = builder.build();
            router = cluster.router(Keyspace.named("accounts").key("account_id").strategy(ShardingStrategy.modulo()));
            buildMillis = millisSince(start);
        }

        /** Returns how long the first answer takes, in milliseconds. */
        double ask() {
            long start = System.nanoTime();
            Integer answer = router.shard(ShardKey.of(0L))
                    .queryOne(Query.of("select $1::int4", 7), row -> Objects.requireNonNull(row.get(0, Integer.class)))
                    .block(LIMIT);
            if (!Objects.equals(answer, 7)) {
                throw new IllegalStateException("the shard answered " + answer);
            }
            return millisSince(start);
        }

        private static double millisSince(long start) {
            return (System.nanoTime() - start) / 1e6;
        }

        @Override
        public void close() {
            cluster.close().block(LIMIT);
        }
    }
}
