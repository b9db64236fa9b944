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

    /**
     * Operations each second, microseconds of CPU that this JVM takes for each, and, if they were recorded, latencies. CPU is that of
     * all rounds together, since systems count it in ticks of a hundredth of a second; that of servers in other processes is
     * not in it.
     */
    record Side(String name, Quartiles throughput, double cpuMicros, Latencies.@Nullable Percentiles latency) {}

    /** Throughput, and CPU of this JVM for each operation, of one side over those of another. A control is one side over itself. */
    record Ratio(String side, String base, Quartiles ratio, double cpu, boolean control) {}

    /** Returns it as text. */
    String table() {
        StringBuilder text = new StringBuilder();
        text.append(line("%n%s: %s", name, question));
        text.append(line("%d rounds after %d of warm-up; medians (quartiles)", rounds, warmup));
        for (Side side : sides) {
            Quartiles perSecond = side.throughput;
            text.append(line(
                    "%-36s %,12.1f/s (%,.1f to %,.1f), CPU %.2f us",
                    side.name, perSecond.median(), perSecond.lower(), perSecond.upper(), side.cpuMicros));
            Latencies.Percentiles latency = side.latency;
            if (latency != null) {
                text.append(line(
                        "%-36s p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms, max %.2f ms",
                        "", latency.p50Millis(), latency.p99Millis(), latency.p999Millis(), latency.maxMillis()));
            }
        }
        for (Ratio ratio : ratios) {
            text.append(line(
                    "%s / %s%s: %.3f (%.3f to %.3f), CPU %.3f",
                    ratio.side,
                    ratio.base,
                    ratio.control ? ", the noise" : "",
                    ratio.ratio.median(),
                    ratio.ratio.lower(),
                    ratio.ratio.upper(),
                    ratio.cpu));
        }
        return text.toString();
    }

    private static String line(String format, @Nullable Object... arguments) {
        return String.format(Locale.ROOT, format + "%n", arguments);
    }
}
