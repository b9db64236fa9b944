package io.reactiverouter.reliability;

import io.reactiverouter.reliability.Operation.Kind;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** What came of a run, in figures. */
final class Report {

    private static final int EXAMPLES = 5;

    private final Plan plan;
    private final Duration elapsed;
    private final List<Operation> operations;
    private final List<FaultRecord> faults;
    private final Checker.Result found;
    private final Map<Violation, List<String>> violations;
    private final Duration longestStall;
    private final Map<ShardId, long[]> acknowledgements = new HashMap<>();

    /** A fault from its beginning until its shard was as before. */
    record FaultRecord(Fault fault, ShardId shard, long begin, long end) {}

    Report(
            Plan plan,
            Duration elapsed,
            History history,
            List<FaultRecord> faults,
            Checker.Result found,
            Duration longestStall) {
        this.plan = plan;
        this.elapsed = elapsed;
        this.operations = history.ended();
        this.faults = List.copyOf(faults);
        this.found = found;
        this.violations = history.violations();
        this.longestStall = longestStall;
        operations.stream()
                .filter(operation -> operation.outcome() == Outcome.ACKNOWLEDGED)
                .collect(Collectors.groupingBy(Operation::shard))
                .forEach((shard, some) -> acknowledgements.put(
                        shard, some.stream().mapToLong(Operation::end).sorted().toArray()));
    }

    Plan plan() {
        return plan;
    }

    /** Returns what must not have been, in words. */
    Map<Violation, List<String>> violations() {
        return violations;
    }

    /** Returns how many operations ended so. */
    long count(Outcome outcome) {
        return count(operation -> operation.outcome() == outcome);
    }

    private long count(Predicate<Operation> which) {
        return operations.stream().filter(which).count();
    }

    /** Returns the 99th percentile of the latency of calls while no fault was in force. */
    Duration usualP99() {
        return p99(operation -> {
            Phase phase = operation.phase();
            return phase != null && phase.kind() == Phase.Kind.QUIET;
        });
    }

    /** Returns that of calls to other shards than the one that was down. */
    Duration p99OfOthers() {
        return p99(Report::isOnAnotherShard);
    }

    private Duration p99OfOthers(Fault fault) {
        return p99(operation -> isOnAnotherShard(operation)
                && operation.phase() != null
                && operation.phase().fault() == fault);
    }

    private static boolean isOnAnotherShard(Operation operation) {
        Phase phase = operation.phase();
        return phase != null
                && phase.kind() == Phase.Kind.DOWN
                && phase.shard() != null
                && !operation.shard().equals(phase.shard());
    }

    private Duration p99(Predicate<Operation> which) {
        long[] nanos = operations.stream()
                .filter(operation -> operation.outcome() == Outcome.ACKNOWLEDGED)
                .filter(which)
                .mapToLong(operation -> operation.end() - operation.begin())
                .sorted()
                .toArray();
        return nanos.length == 0 ? Duration.ZERO : Duration.ofNanos(nanos[(int) ((nanos.length - 1) * 0.99)]);
    }

    /** Returns the longest time without a success on a fault's shard. */
    private Duration outage(FaultRecord fault) {
        long[] ends = Objects.requireNonNull(acknowledgements.getOrDefault(fault.shard(), new long[0]));
        int first = Arrays.binarySearch(ends, fault.begin());
        long longest = 0;
        for (int i = Math.max(1, first < 0 ? -first - 1 : first); i < ends.length; i++) {
            if (ends[i - 1] > fault.end()) {
                break;
            }
            longest = Math.max(longest, ends[i] - ends[i - 1]);
        }
        return Duration.ofNanos(longest);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        line(
                text,
                "%s replication, seed %d: %d operations in %.0f s (%.0f/s), %d faults, %d unknown, %d violations",
                plan.synchronous() ? "synchronous" : "asynchronous",
                plan.seed(),
                operations.size(),
                elapsed.toMillis() / 1e3,
                operations.size() * 1e3 / Math.max(1, elapsed.toMillis()),
                faults.size(),
                count(Outcome.UNKNOWN),
                violations.values().stream().mapToInt(List::size).sum());
        line(text, "  %-10s %12s %8s %8s", "operation", "acknowledged", "failed", "unknown");
        for (Kind kind : Kind.values()) {
            line(
                    text,
                    "  %-10s %12d %8d %8d",
                    kind.name().toLowerCase(Locale.ROOT),
                    count(operation -> operation.kind() == kind && operation.outcome() == Outcome.ACKNOWLEDGED),
                    count(operation -> operation.kind() == kind && operation.outcome() == Outcome.FAILED),
                    count(operation -> operation.kind() == kind && operation.outcome() == Outcome.UNKNOWN));
        }
        line(
                text,
                "  of the unknown writes %d had taken effect; lost in the window of asynchronous replication: %s",
                found.unknownThatAreThere(),
                plan.synchronous() ? "none allowed" : found.lostInWindow());
        line(
                text,
                "  %-20s %5s %20s %20s %20s",
                "fault",
                "times",
                "longest outage (ms)",
                "median outage (ms)",
                "p99 of others (ms)");
        faults.stream()
                .collect(Collectors.groupingBy(
                        FaultRecord::fault, () -> new EnumMap<>(Fault.class), Collectors.toList()))
                .forEach((fault, times) -> faultLine(text, fault, times));
        line(
                text,
                "  p99 of calls: %d ms usually, %d ms on the other shards while one is down; longest stall of the JVM"
                        + " %d ms",
                usualP99().toMillis(),
                p99OfOthers().toMillis(),
                longestStall.toMillis());
        line(text, "  errors: %s", errors());
        violations.forEach((kind, all) -> {
            line(text, "  %d times %s, as", all.size(), kind);
            all.stream().limit(EXAMPLES).forEach(example -> line(text, "    %s", example));
        });
        return text.toString();
    }

    private void faultLine(StringBuilder text, Fault fault, List<FaultRecord> times) {
        List<Duration> outages = times.stream()
                .map(this::outage)
                .sorted(Comparator.reverseOrder())
                .toList();
        line(
                text,
                "  %-20s %5d %20d %20d %20d",
                fault.name().toLowerCase(Locale.ROOT).replace('_', ' '),
                times.size(),
                outages.get(0).toMillis(),
                outages.get(outages.size() / 2).toMillis(),
                p99OfOthers(fault).toMillis());
    }

    private List<String> errors() {
        Map<String, Long> counts = operations.stream()
                .filter(operation -> operation.error() != null)
                .collect(Collectors.groupingBy(
                        operation -> operation.error() + " -> " + operation.outcome(),
                        TreeMap::new,
                        Collectors.counting()));
        List<String> lines = new ArrayList<>();
        counts.forEach((error, times) -> lines.add(times + " " + error));
        return lines;
    }

    private static void line(StringBuilder text, String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}
