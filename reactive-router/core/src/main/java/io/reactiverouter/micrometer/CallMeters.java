package io.reactiverouter.micrometer;

import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.reactiverouter.micrometer.CallMetrics.Outcome;
import io.reactiverouter.observation.CallKind;
import io.reactiverouter.observation.NodeCall;
import io.reactiverouter.stream.Watcher;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.NodeRole;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Of the calls of one keyspace and kind, and of their attempts. A call finds its timers without making a key of all tags. */
final class CallMeters {

    private final MeterRegistry registry;
    private final String keyspace;
    private final CallKind kind;
    private final Map<String, CallTimers> operations = new ConcurrentHashMap<>();
    private final Map<NodeId, AttemptTimers> primaries = new ConcurrentHashMap<>();
    private final Map<NodeId, AttemptTimers> replicas = new ConcurrentHashMap<>();
    private volatile @Nullable DistributionSummary fanOut;

    CallMeters(MeterRegistry registry, String keyspace, CallKind kind) {
        this.registry = registry;
        this.keyspace = keyspace;
        this.kind = kind;
    }

    CallTimers operation(String operation) {
        CallTimers timers = operations.get(operation);
        return timers != null ? timers : operations.computeIfAbsent(operation, this::callTimers);
    }

    AttemptTimers attempt(NodeCall attempt) {
        Map<NodeId, AttemptTimers> nodes = attempt.role() == NodeRole.PRIMARY ? primaries : replicas;
        AttemptTimers timers = nodes.get(attempt.node());
        return timers != null ? timers : nodes.computeIfAbsent(attempt.node(), node -> attemptTimers(attempt));
    }

    void asking(int shards) {
        DistributionSummary summary = fanOut;
        if (summary == null) {
            // The registry gives the same one to all who ask at this moment.
            summary = DistributionSummary.builder(RouterMeter.SCATTER_SHARDS.meterName())
                    .description(RouterMeter.SCATTER_SHARDS.description())
                    .tags(Tagged.of(RouterMeter.SCATTER_SHARDS, keyspace))
                    .register(registry);
            fanOut = summary;
        }
        summary.record(shards);
    }

    private CallTimers callTimers(String operation) {
        return new CallTimers(
                call(operation, Outcome.SUCCESS),
                call(operation, Outcome.ERROR),
                call(operation, Outcome.CANCELLED),
                kind == CallKind.SCATTER ? call(operation, Outcome.PARTIAL) : null);
    }

    private Timer call(String operation, Outcome outcome) {
        return CallMetrics.timer(
                registry, RouterMeter.CALLS, keyspace, CallMetrics.lower(kind), operation, outcome.tag());
    }

    private AttemptTimers attemptTimers(NodeCall attempt) {
        return new AttemptTimers(
                attempt(RouterMeter.ATTEMPTS, attempt, Outcome.SUCCESS.tag()),
                attempt(RouterMeter.ATTEMPTS, attempt, Outcome.ERROR.tag()),
                attempt(RouterMeter.ATTEMPTS, attempt, Outcome.CANCELLED.tag()),
                attempt(RouterMeter.FIRST_ROW, attempt));
    }

    private Timer attempt(RouterMeter meter, NodeCall attempt, String... outcome) {
        String shard = attempt.node().shard().toString();
        String role = CallMetrics.lower(attempt.role());
        String ofKind = CallMetrics.lower(kind);
        return outcome.length == 0
                ? CallMetrics.timer(registry, meter, keyspace, shard, role, ofKind)
                : CallMetrics.timer(registry, meter, keyspace, shard, role, ofKind, outcome[0]);
    }

    /** The timers of calls that differ in how they end alone. */
    record CallTimers(
            Timer success,
            Timer error,
            Timer cancelled,
            @Nullable Timer partial) {

        Timer of(Watcher.End end, boolean isPartial) {
            return switch (end) {
                case COMPLETE -> isPartial && partial != null ? partial : success;
                case ERROR -> error;
                case CANCEL -> cancelled;
            };
        }
    }

    /** The timers of attempts that differ in how they end alone. */
    record AttemptTimers(Timer success, Timer error, Timer cancelled, Timer firstRow) {

        Timer of(Watcher.End end) {
            return switch (end) {
                case COMPLETE -> success;
                case ERROR -> error;
                case CANCEL -> cancelled;
            };
        }
    }
}
