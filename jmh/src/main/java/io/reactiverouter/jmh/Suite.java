package io.reactiverouter.jmh;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import joptsimple.OptionParser;
import joptsimple.OptionSet;
import joptsimple.OptionSpec;
import joptsimple.util.PathConverter;
import org.openjdk.jmh.Main;

/**
 * Runs all comparisons and JMH benchmarks, one after the other and each in a JVM of its own, and writes a report of them. The
 * script {@code jmh/run} builds first, and gives it what it needs.
 *
 * <p>Options: {@code --results FILE}, the JSON file; beside it come one of the same name for JMH, a Markdown file, and charts.
 * {@code --quick} takes few rounds, to see that all of it works. {@code --only NAME} takes only those comparisons in whose class
 * that occurs, or {@code Jmh}.
 */
public final class Suite {

    /** To add a comparison, add it here. */
    private static final List<Part> PARTS = List.of(
            comparison(ReadRatios.class, 200, 40),
            comparison(PointReadComparison.class, 100, 20),
            comparison(PointReadComparison.class, 30, 10, "--rate", "2000"),
            comparison(PointWriteComparison.class, 100, 20),
            comparison(PointWriteComparison.class, 30, 10, "--rate", "2000"),
            comparison(TransactionComparison.class, 100, 20),
            comparison(TransactionComparison.class, 30, 10, "--rate", "1000"),
            comparison(ScatterReads.class, 30, 8),
            comparison(Scaling.class, 20, 3),
            comparison(HttpStreaming.class, 10, 3),
            jmh("LocateBenchmark|RouteBenchmark|ComparatorBenchmark|MetricsBenchmark"
                    + "|[.]MergeBenchmark|ManyShardsBenchmark"
                    + "|PointReadBenchmark|PointWriteBenchmark|TransactionBenchmark"));

    private Suite() {}

    /** What runs in one JVM. */
    private record Part(String name, Class<?> main, List<String> options, List<String> quickOptions) {

        List<String> command(Path results, boolean quick) {
            List<String> command = new ArrayList<>(List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString()));
            String commit = System.getProperty("commit");
            if (commit != null) {
                command.add("-Dcommit=" + commit);
            }
            command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
            command.addAll(quick ? quickOptions : options);
            if (main == Main.class) {
                command.addAll(
                        List.of("-rf", "json", "-rff", JmhFile.beside(results).toString()));
            } else {
                command.addAll(List.of("--results", results.toString()));
            }
            return command;
        }

        @Override
        public String toString() {
            return name + " " + String.join(" ", options);
        }
    }

    private static Part comparison(Class<?> main, int rounds, int warmup, String... more) {
        return new Part(main.getSimpleName(), main, rounds(rounds, warmup, more), rounds(3, 2, more));
    }

    private static List<String> rounds(int rounds, int warmup, String... more) {
        List<String> options = new ArrayList<>(List.of(more));
        options.addAll(List.of("--rounds", String.valueOf(rounds), "--warmup", String.valueOf(warmup)));
        return options;
    }

    private static Part jmh(String pattern) {
        return new Part(
                "Jmh",
                Main.class,
                List.of(pattern, "-prof", "gc"),
                List.of(pattern, "-prof", "gc", "-f", "1", "-wi", "1", "-i", "1", "-w", "100ms", "-r", "100ms"));
    }

    /** Runs all parts, and fails at the end if one of them has. */
    public static void main(String... arguments) throws IOException, InterruptedException {
        OptionParser parser = new OptionParser();
        OptionSpec<Void> quick = parser.accepts("quick");
        OptionSpec<String> only = parser.accepts("only").withRequiredArg().defaultsTo("");
        OptionSpec<Path> file = parser.accepts("results")
                .withRequiredArg()
                .withValuesConvertedBy(new PathConverter())
                .required();
        OptionSet given = parser.parse(arguments);
        Path results = given.valueOf(file).toAbsolutePath();
        Files.createDirectories(results.getParent());
        List<Part> failed = new ArrayList<>();
        for (Part part : PARTS) {
            if (part.name.contains(given.valueOf(only)) && run(part.command(results, given.has(quick))) != 0) {
                failed.add(part);
            }
        }
        Report.write(results);
        if (!failed.isEmpty()) {
            throw new IllegalStateException("failed: " + failed);
        }
    }

    private static int run(List<String> command) throws IOException, InterruptedException {
        return new ProcessBuilder(command).inheritIO().start().waitFor();
    }
}
