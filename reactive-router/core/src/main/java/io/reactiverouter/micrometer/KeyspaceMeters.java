package io.reactiverouter.micrometer;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.reactiverouter.topology.ShardId;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * How a keyspace is placed and spread, as gauges. They show what {@link #update} was told last; a scrape never asks a database.
 * Thread-safe.
 */
public final class KeyspaceMeters implements MeterBinder {

    private static final Figures NONE = new Figures(Map.of(), Map.of(), Double.NaN);

    private final String keyspace;
    private final List<ShardId> shards;
    private final LongSupplier epoch;
    private volatile Figures figures = NONE;

    private record Figures(Map<ShardId, Long> rows, Map<ShardId, Long> keys, double imbalance) {}

    /**
     * @param shards those that can hold rows of the keyspace
     * @param epoch returns the epoch of the placement now
     */
    public KeyspaceMeters(String keyspace, List<ShardId> shards, LongSupplier epoch) {
        this.keyspace = keyspace;
        this.shards = List.copyOf(shards);
        this.epoch = epoch;
    }

    /**
     * Sets what the gauges show from now on; a shard that is missing shows NaN.
     *
     * @param rows by shard
     * @param keys distinct sharding keys by shard
     * @param imbalance 0.2 is 20 %
     */
    public void update(Map<ShardId, Long> rows, Map<ShardId, Long> keys, double imbalance) {
        figures = new Figures(Map.copyOf(rows), Map.copyOf(keys), imbalance);
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        Gauge.builder(RouterMeter.KEYSPACE_EPOCH.meterName(), this, meters -> meters.epoch.getAsLong())
                .description(RouterMeter.KEYSPACE_EPOCH.description())
                .tags(Tagged.of(RouterMeter.KEYSPACE_EPOCH, keyspace))
                .strongReference(true)
                .register(registry);
        Gauge.builder(RouterMeter.KEYSPACE_IMBALANCE.meterName(), this, meters -> meters.figures.imbalance())
                .description(RouterMeter.KEYSPACE_IMBALANCE.description())
                .tags(Tagged.of(RouterMeter.KEYSPACE_IMBALANCE, keyspace))
                .strongReference(true)
                .register(registry);
        for (ShardId shard : shards) {
            Gauge.builder(RouterMeter.SHARD_ROWS.meterName(), this, meters -> of(meters.figures.rows(), shard))
                    .description(RouterMeter.SHARD_ROWS.description())
                    .tags(Tagged.of(RouterMeter.SHARD_ROWS, keyspace, shard.toString()))
                    .strongReference(true)
                    .register(registry);
            Gauge.builder(RouterMeter.SHARD_KEYS.meterName(), this, meters -> of(meters.figures.keys(), shard))
                    .description(RouterMeter.SHARD_KEYS.description())
                    .tags(Tagged.of(RouterMeter.SHARD_KEYS, keyspace, shard.toString()))
                    .strongReference(true)
                    .register(registry);
        }
    }

    private static double of(Map<ShardId, Long> figures, ShardId shard) {
        Long figure = figures.get(shard);
        return figure == null ? Double.NaN : figure;
    }
}
