package io.reactiverouter.micrometer;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.reactiverouter.observation.CallInfo;
import io.reactiverouter.observation.CallInstrumentation;
import io.reactiverouter.observation.CallKind;
import io.reactiverouter.observation.ClusterListener;
import io.reactiverouter.observation.NodeCall;
import io.reactiverouter.stream.Watched;
import io.reactiverouter.stream.Watcher;
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

    private record AttemptKey(@Nullable String keyspace, CallKind kind, NodeCall attempt) {}

    private record EventKey(RouterMeter meter, NodeId node) {}

    /** How a call or an attempt ended, as the tag says. */
    enum Outcome {
        SUCCESS,
        ERROR,
        CANCELLED,
        /** A scatter-gather went on without a shard that had failed. */
        PARTIAL;

        static Outcome of(Watcher.End end, boolean partial) {
            return switch (end) {
                case COMPLETE -> partial ? PARTIAL : SUCCESS;
                case ERROR -> ERROR;
                case CANCEL -> CANCELLED;
            };
        }

        String tag() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private final MeterRegistry registry;
    private final Map<Outcome, Map<CallInfo, Timer>> calls = new EnumMap<>(Outcome.class);
    private final Map<String, DistributionSummary> fanOuts = new ConcurrentHashMap<>();
    private final Map<AttemptKey, AttemptTimers> attempts = new ConcurrentHashMap<>();
    private final Map<NodeId, Timer> waits = new ConcurrentHashMap<>();
    private final Map<NodeId, Timer> vainWaits = new ConcurrentHashMap<>();
    private final Map<EventKey, Counter> events = new ConcurrentHashMap<>();

    public CallMetrics(MeterRegistry registry) {
        this.registry = registry;
        for (Outcome outcome : Outcome.values()) {
            calls.put(outcome, new ConcurrentHashMap<>());
        }
    }

    @Override
    public <T> Flux<T> call(CallInfo call, Flux<T> answer) {
        // The statement is no tag.
        CallInfo tagged = new CallInfo(call.keyspace(), call.kind(), call.operation(), null);
        return Watched.by(context -> new TimedCall(this, tagged), answer);
    }

    @Override
    public <T> Flux<T> attempt(NodeCall attempt, Flux<T> answer) {
        return Watched.by(
                context -> {
                    CallInfo call = TimedCall.of(context);
                    return new TimedAttempt(timers(
                            call == null ? null : call.keyspace(),
                            call == null ? CallKind.SINGLE : call.kind(),
                            attempt));
                },
                answer);
    }

    private AttemptTimers timers(@Nullable String keyspace, CallKind kind, NodeCall attempt) {
        return attempts.computeIfAbsent(new AttemptKey(keyspace, kind, attempt), this::timers);
    }

    private AttemptTimers timers(AttemptKey key) {
        String keyspace = keyspace(key.keyspace());
        String shard = key.attempt().node().shard().toString();
        String role = lower(key.attempt().role());
        String kind = lower(key.kind());
        return new AttemptTimers(
                timer(RouterMeter.ATTEMPTS, keyspace, shard, role, kind, Outcome.SUCCESS.tag()),
                timer(RouterMeter.ATTEMPTS, keyspace, shard, role, kind, Outcome.ERROR.tag()),
                timer(RouterMeter.ATTEMPTS, keyspace, shard, role, kind, Outcome.CANCELLED.tag()),
                timer(RouterMeter.FIRST_ROW, keyspace, shard, role, kind));
    }

    void ended(CallInfo call, Outcome outcome, long nanos) {
        Map<CallInfo, Timer> timers = Objects.requireNonNull(calls.get(outcome));
        Timer timer = timers.get(call);
        if (timer == null) {
            timer = timers.computeIfAbsent(
                    call,
                    key -> timer(
                            RouterMeter.CALLS,
                            keyspace(key.keyspace()),
                            lower(key.kind()),
                            key.operation(),
                            outcome.tag()));
        }
        timer.record(nanos, TimeUnit.NANOSECONDS);
    }

    void asking(CallInfo call, int shards) {
        fanOuts.computeIfAbsent(
                        keyspace(call.keyspace()),
                        keyspace -> DistributionSummary.builder(RouterMeter.SCATTER_SHARDS.meterName())
                                .description(RouterMeter.SCATTER_SHARDS.description())
                                .tags(Tagged.of(RouterMeter.SCATTER_SHARDS, keyspace))
                                .register(registry))
                .record(shards);
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
                    node, key -> timer(RouterMeter.ACQUIRE, key.shard().toString(), key.endpoint(), outcome));
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

    private Timer timer(RouterMeter meter, String... values) {
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

    private static String keyspace(@Nullable String keyspace) {
        return keyspace == null ? RouterMeter.NO_KEYSPACE : keyspace;
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
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
