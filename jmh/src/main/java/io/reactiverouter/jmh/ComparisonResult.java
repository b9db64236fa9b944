package io.reactiverouter.jmh;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What a {@link Comparison} measured, and where. */
record ComparisonResult(
        String name,
        String question,
        int rounds,
        int warmup,
        List<Side> sides,
        List<Ratio> ratios,
        Environment environment) {

    /** Operations each second and, if they were recorded, latencies. */
    record Side(String name, Quartiles throughput, Latencies.@Nullable Percentiles latency) {}

    /** Throughput of one side over that of another. A control is one side over itself. */
    record Ratio(String side, String base, Quartiles ratio, boolean control) {}

    /** Returns it as text. */
    String table() {
        StringBuilder text = new StringBuilder();
        text.append(line("%n%s: %s", name, question));
        text.append(line("%d rounds after %d of warm-up; medians (quartiles)", rounds, warmup));
        for (Side side : sides) {
            Quartiles perSecond = side.throughput;
            text.append(line(
                    "%-36s %,12.1f/s (%,.1f to %,.1f)",
                    side.name, perSecond.median(), perSecond.lower(), perSecond.upper()));
            Latencies.Percentiles latency = side.latency;
            if (latency != null) {
                text.append(line(
                        "%-36s p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms, max %.2f ms",
                        "", latency.p50Millis(), latency.p99Millis(), latency.p999Millis(), latency.maxMillis()));
            }
        }
        for (Ratio ratio : ratios) {
            text.append(line(
                    "%s / %s%s: %.3f (%.3f to %.3f)",
                    ratio.side,
                    ratio.base,
                    ratio.control ? ", the noise" : "",
                    ratio.ratio.median(),
                    ratio.ratio.lower(),
                    ratio.ratio.upper()));
        }
        return text.toString();
    }

    private static String line(String format, @Nullable Object... arguments) {
        return String.format(Locale.ROOT, format + "%n", arguments);
    }
}
