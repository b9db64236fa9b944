package io.reactiverouter.micrometer;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.reactiverouter.micrometer.CallMeters.CallTimers;
import io.reactiverouter.observation.CallInfo;
import io.reactiverouter.observation.CallInstrumentation;
import io.reactiverouter.observation.CallKind;
import io.reactiverouter.observation.ClusterListener;
import io.reactiverouter.observation.NodeCall;
import io.reactiverouter.stream.Watched;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.ShardId;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;

/**
 * Counts and times calls, attempts, waits for connections and events: give it to the cluster both as instrumentation and as
 * listener. Meters are made when they are first needed; buckets and percentiles of the timers are for the registry to
 * configure, as by Micrometer's {@code MeterFilter} or Boot's {@code management.metrics.distribution.*}. Thread-safe.
 */
public final class CallMetrics implements CallInstrumentation, ClusterListener {

    private record EventKey(RouterMeter meter, NodeId node) {}

    /** How a call or an attempt ended, as the tag says. */
    enum Outcome {
        SUCCESS,
        ERROR,
        CANCELLED,
        /** A scatter-gather went on without a shard that had failed. */
        PARTIAL;

        String tag() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private final MeterRegistry registry;
    private final Map<CallKind, Map<String, CallMeters>> calls = new EnumMap<>(CallKind.class);
    private final Map<NodeId, Timer> waits = new ConcurrentHashMap<>();
    private final Map<NodeId, Timer> vainWaits = new ConcurrentHashMap<>();
    private final Map<EventKey, Counter> events = new ConcurrentHashMap<>();

    public CallMetrics(MeterRegistry registry) {
        this.registry = registry;
        for (CallKind kind : CallKind.values()) {
            calls.put(kind, new ConcurrentHashMap<>());
        }
    }

    @Override
    public <T> Flux<T> call(CallInfo call, Flux<T> answer) {
        CallMeters meters = meters(call.keyspace(), call.kind());
        CallTimers timers = meters.operation(call.operation());
        return Watched.by(context -> new TimedCall(this, meters, timers, call.kind()), answer);
    }

    @Override
    public <T> Flux<T> attempt(NodeCall attempt, Flux<T> answer) {
        return Watched.by(
                context -> {
                    CallMeters ofCall = TimedCall.meters(this, context);
                    CallMeters meters = ofCall == null ? meters(null, CallKind.SINGLE) : ofCall;
                    return new TimedAttempt(this, meters.attempt(attempt));
                },
                answer);
    }

    private CallMeters meters(@Nullable String named, CallKind kind) {
        String keyspace = named == null ? RouterMeter.NO_KEYSPACE : named;
        Map<String, CallMeters> keyspaces = Objects.requireNonNull(calls.get(kind));
        CallMeters meters = keyspaces.get(keyspace);
        return meters != null
                ? meters
                : keyspaces.computeIfAbsent(keyspace, key -> new CallMeters(registry, key, kind));
    }

    @Override
    public void acquired(NodeId node, long waitNanos) {
        wait(waits, node, "acquired", waitNanos);
    }

    @Override
    public void acquireFailed(NodeId node, long waitNanos, Throwable cause) {
        wait(vainWaits, node, "failed", waitNanos);
    }

    private void wait(Map<NodeId, Timer> timers, NodeId node, String outcome, long nanos) {
        Timer timer = timers.get(node);
        if (timer == null) {
            timer = timers.computeIfAbsent(
                    node,
                    key -> timer(registry, RouterMeter.ACQUIRE, key.shard().toString(), key.endpoint(), outcome));
        }
        timer.record(nanos, TimeUnit.NANOSECONDS);
    }

    /** How calls end is heard of elsewhere. */
    @Override
    public boolean hearsCompletions() {
        return false;
    }

    @Override
    public void retried(NodeId node, int count, Throwable cause) {
        count(RouterMeter.RETRIES, node);
    }

    @Override
    public void hedged(NodeId node) {
        count(RouterMeter.HEDGES, node);
    }

    @Override
    public void leakSuspected(NodeId node, long heldNanos, Throwable acquiredAt) {
        count(RouterMeter.LEAKS, node);
    }

    @Override
    public void fenced(NodeId node, String reason) {
        count(RouterMeter.FENCED, node);
    }

    @Override
    public void primaryChanged(ShardId shard, NodeId before, NodeId after, String reason) {
        counter(RouterMeter.FAILOVERS, shard.toString()).increment();
    }

    private void count(RouterMeter meter, NodeId node) {
        events.computeIfAbsent(
                        new EventKey(meter, node),
                        key -> counter(meter, node.shard().toString(), node.endpoint()))
                .increment();
    }

    static Timer timer(MeterRegistry registry, RouterMeter meter, String... values) {
        return Timer.builder(meter.meterName())
                .description(meter.description())
                .tags(Tagged.of(meter, values))
                .register(registry);
    }

    private Counter counter(RouterMeter meter, String... values) {
        return Counter.builder(meter.meterName())
                .description(meter.description())
                .tags(Tagged.of(meter, values))
                .register(registry);
    }

    static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
