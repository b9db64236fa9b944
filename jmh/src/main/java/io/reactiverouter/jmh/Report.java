package io.reactiverouter.jmh;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Writes results as Markdown tables, with the charts of {@link Charts}. */
final class Report {

    private final List<String> lines = new ArrayList<>();

    private Report() {}

    /** Returns the name of a file of results, without its extension. */
    static String name(Path results) {
        return results.getFileName().toString().replaceFirst("\\.json$", "");
    }

    /** Writes a report beside the results. */
    static void write(Path results) throws IOException {
        List<ComparisonResult> comparisons = ResultFile.read(results);
        Report report = new Report();
        report.line("# Benchmarks, %s", name(results));
        for (Environment environment : comparisons.stream()
                .map(ComparisonResult::environment)
                .distinct()
                .toList()) {
            report.environment(environment);
        }
        for (ComparisonResult comparison : comparisons) {
            Path chart = results.resolveSibling(name(results) + "-" + comparison.name() + ".svg");
            Charts.write(comparison, chart);
            report.comparison(comparison, chart);
        }
        report.jmh(JmhFile.read(JmhFile.beside(results)));
        Files.write(results.resolveSibling(name(results) + ".md"), report.lines);
    }

    private void environment(Environment environment) {
        line("");
        row("", "");
        row("---", "---");
        row("machine", environment.cores() + " cores, " + environment.memoryMegabytes() + " MB, " + environment.os());
        row("JDK", environment.jdk());
        row("PostgreSQL", environment.postgresql());
        row("commit", environment.commit());
        row("libraries", String.join(", ", environment.libraries()));
    }

    private void comparison(ComparisonResult comparison, Path chart) {
        line("");
        line("## %s", comparison.name());
        line("");
        line("%s", comparison.question());
        line(
                "%d rounds after %d of warm-up; medians, and quartiles in brackets.",
                comparison.rounds(), comparison.warmup());
        line("");
        line("![%s](%s)", comparison.question(), chart.getFileName());
        line("");
        row("side", "each second", "p50 ms", "p99 ms", "p99.9 ms", "max ms");
        row("---", "---:", "---:", "---:", "---:", "---:");
        for (ComparisonResult.Side side : comparison.sides()) {
            Latencies.Percentiles latency = side.latency();
            row(
                    side.name(),
                    quartiles("%,.0f", side.throughput()),
                    latency == null ? "" : millis(latency.p50Millis()),
                    latency == null ? "" : millis(latency.p99Millis()),
                    latency == null ? "" : millis(latency.p999Millis()),
                    latency == null ? "" : millis(latency.maxMillis()));
        }
        if (!comparison.ratios().isEmpty()) {
            line("");
            row("ratio", "");
            row("---", "---:");
        }
        for (ComparisonResult.Ratio ratio : comparison.ratios()) {
            row(
                    ratio.side() + " / " + ratio.base() + (ratio.control() ? " (the noise)" : ""),
                    quartiles("%.3f", ratio.ratio()));
        }
    }

    private void jmh(List<JmhFile.Score> scores) {
        if (scores.isEmpty()) {
            return;
        }
        line("");
        line("## JMH");
        line("");
        row("benchmark", "parameters", "score", "error", "unit", "B/op");
        row("---", "---", "---:", "---:", "---", "---:");
        for (JmhFile.Score score : scores) {
            row(
                    score.benchmark(),
                    score.parameters(),
                    text("%,.1f", score.score()),
                    text("%,.1f", score.error()),
                    score.unit(),
                    score.bytes() == null ? "" : text("%,.0f", score.bytes()));
        }
    }

    private static String quartiles(String format, Quartiles quartiles) {
        return text(
                format + " (" + format + " to " + format + ")",
                quartiles.median(),
                quartiles.lower(),
                quartiles.upper());
    }

    private static String millis(double value) {
        return text("%.2f", value);
    }

    private void row(@Nullable String... cells) {
        StringBuilder row = new StringBuilder("|");
        for (String cell : cells) {
            row.append(' ').append(cell == null ? "not given" : cell).append(" |");
        }
        lines.add(row.toString());
    }

    private void line(String format, @Nullable Object... arguments) {
        lines.add(text(format, arguments));
    }

    private static String text(String format, @Nullable Object... arguments) {
        return String.format(Locale.ROOT, format, arguments);
    }
}
