package io.reactiverouter.micrometer;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.reactiverouter.connection.PoolStatistics;
import io.reactiverouter.health.ClusterStatus;
import io.reactiverouter.health.NodeStatus;
import io.reactiverouter.health.ShardStatus;
import io.reactiverouter.observation.CloseReason;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.NodeState;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * The state of pools and nodes as gauges. All gauges of a scrape are read from one status, which is taken anew when it is older
 * than a second. Thread-safe.
 */
public final class ClusterMeters implements MeterBinder {

    private static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Supplier<ClusterStatus> status;
    private volatile @Nullable Snapshot last;

    private record Entry(NodeStatus node, boolean primary) {}

    private record Snapshot(long nanoTime, Map<NodeId, Entry> nodes) {}

    /**
     * @param status returns what is known of the cluster now: {@code cluster::status}
     */
    public ClusterMeters(Supplier<ClusterStatus> status) {
        this.status = status;
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        snapshot().nodes().keySet().forEach(node -> bind(registry, node));
    }

    private void bind(MeterRegistry registry, NodeId node) {
        pool(registry, node, "acquired", PoolStatistics::acquired);
        pool(registry, node, "idle", PoolStatistics::idle);
        pool(registry, node, "opening", pool -> Math.max(0, pool.allocated() - pool.acquired() - pool.idle()));
        gauge(
                registry,
                RouterMeter.POOL_MAX,
                node,
                entry -> entry.node().connections().max());
        gauge(
                registry,
                RouterMeter.POOL_PENDING,
                node,
                entry -> entry.node().connections().pending());
        counter(registry, RouterMeter.POOL_OPENED, node, PoolStatistics::opened);
        counter(registry, RouterMeter.POOL_TIMEOUTS, node, PoolStatistics::timeouts);
        counter(registry, RouterMeter.POOL_REJECTED, node, PoolStatistics::rejected);
        for (CloseReason reason : CloseReason.values()) {
            counter(
                    registry,
                    RouterMeter.POOL_CLOSED,
                    node,
                    pool -> pool.closed(reason),
                    reason.name().toLowerCase(Locale.ROOT));
        }
        gauge(registry, RouterMeter.NODE_HEALTHY, node, entry -> healthy(entry.node()));
        gauge(registry, RouterMeter.NODE_PRIMARY, node, entry -> entry.primary() ? 1 : 0);
        gauge(registry, RouterMeter.NODE_BREAKER, node, entry -> entry.node().breakerOpen() ? 1 : 0);
        gauge(registry, RouterMeter.NODE_ERROR_RATE, node, entry -> entry.node().errorRate());
        gauge(
                registry,
                RouterMeter.NODE_LATENCY,
                node,
                entry -> seconds(entry.node().latency()));
        gauge(
                registry,
                RouterMeter.NODE_LAG,
                node,
                entry -> seconds(entry.node().lag()));
        gauge(registry, RouterMeter.NODE_LAG_BYTES, node, entry -> entry.node().lagBytes());
    }

    private static double healthy(NodeStatus node) {
        if (node.fenced() || node.state() == NodeState.EJECTED) {
            return 0;
        }
        return node.state() == NodeState.LAGGING ? 0.5 : 1;
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / (double) TimeUnit.SECONDS.toNanos(1);
    }

    private void pool(MeterRegistry registry, NodeId node, String state, ToDoubleFunction<PoolStatistics> figure) {
        gauge(
                registry,
                RouterMeter.POOL_CONNECTIONS,
                node,
                entry -> figure.applyAsDouble(entry.node().connections()),
                state);
    }

    private void gauge(
            MeterRegistry registry, RouterMeter meter, NodeId node, ToDoubleFunction<Entry> figure, String... more) {
        Gauge.builder(meter.meterName(), this, meters -> meters.figure(node, figure))
                .description(meter.description())
                .tags(tags(meter, node, more))
                // For the counters too, which have none of their own.
                .strongReference(true)
                .register(registry);
    }

    private void counter(
            MeterRegistry registry,
            RouterMeter meter,
            NodeId node,
            ToDoubleFunction<PoolStatistics> figure,
            String... more) {
        FunctionCounter.builder(
                        meter.meterName(),
                        this,
                        meters -> meters.figure(
                                node, entry -> figure.applyAsDouble(entry.node().connections())))
                .description(meter.description())
                .tags(tags(meter, node, more))
                .register(registry);
    }

    private static Tags tags(RouterMeter meter, NodeId node, String... more) {
        String[] values = new String[2 + more.length];
        values[0] = node.shard().toString();
        values[1] = node.endpoint();
        System.arraycopy(more, 0, values, 2, more.length);
        return Tagged.of(meter, values);
    }

    private double figure(NodeId node, ToDoubleFunction<Entry> figure) {
        Entry entry = snapshot().nodes().get(node);
        return entry == null ? Double.NaN : figure.applyAsDouble(entry);
    }

    private Snapshot snapshot() {
        Snapshot known = last;
        long now = System.nanoTime();
        if (known == null || now - known.nanoTime() > FRESH_NANOS) {
            known = new Snapshot(now, entries(status.get()));
            last = known;
        }
        return known;
    }

    private static Map<NodeId, Entry> entries(ClusterStatus status) {
        Map<NodeId, Entry> entries = new HashMap<>();
        for (ShardStatus shard : status.shards()) {
            for (NodeStatus node : shard.nodes()) {
                entries.put(node.node(), new Entry(node, node.node().equals(shard.primary())));
            }
        }
        return entries;
    }
}
