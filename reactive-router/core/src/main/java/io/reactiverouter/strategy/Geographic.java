package io.reactiverouter.strategy;

import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Placement by region, for data that must stay where it belongs: a key carries its region
 * ({@link ShardKey#inRegion(String, ShardKey)}), the region has shards, and hash slots place the key among them. A key of
 * an unknown region is an error unless a default region is set. Region names are compared letter by letter.
 */
public final class Geographic implements ShardingStrategy {

    private final Map<String, HashSlots> regions;
    private final @Nullable String defaultRegion;
    private final List<ShardId> shards;

    private Geographic(Map<String, HashSlots> regions, @Nullable String defaultRegion) {
        this.regions = regions;
        this.defaultRegion = defaultRegion;
        this.shards = regions.values().stream()
                .flatMap(slots -> slots.shards().stream())
                .toList();
    }

    /**
     * Returns the strategy over the regions of these shards, without a default region.
     *
     * @throws IllegalArgumentException if there is no shard, one has no region, or a weight is too small in its region
     */
    public static Geographic over(List<Shard> shards) {
        Map<String, List<Shard>> byRegion = new LinkedHashMap<>();
        for (Shard shard : Shard.requireDistinct(shards)) {
            String region = shard.region();
            if (region == null) {
                throw new IllegalArgumentException(
                        "shard " + shard.id() + " has no region, which geographic placement needs of every shard");
            }
            byRegion.computeIfAbsent(region, added -> new ArrayList<>()).add(shard);
        }
        Map<String, HashSlots> regions = new LinkedHashMap<>();
        byRegion.forEach((region, members) -> regions.put(region, HashSlots.over(members)));
        return of(regions);
    }

    /**
     * Returns the strategy over these regions, without a default region.
     *
     * @throws IllegalArgumentException if there is no region, or a shard is in two
     */
    public static Geographic of(Map<String, HashSlots> regions) {
        if (regions.isEmpty()) {
            throw new IllegalArgumentException("geographic placement needs at least one region, has none");
        }
        // As a key would, so that there are keys for each.
        regions.keySet().forEach(region -> ShardKey.inRegion(region, ShardKey.of(0)));
        Map<ShardId, String> seen = new LinkedHashMap<>();
        regions.forEach((region, slots) -> slots.shards().forEach(shard -> {
            String other = seen.put(shard, region);
            if (other != null) {
                throw new IllegalArgumentException("shard " + shard + " is in the regions " + other + " and " + region
                        + "; rows of one would lie among those of the other");
            }
        }));
        return new Geographic(Collections.unmodifiableMap(new LinkedHashMap<>(regions)), null);
    }

    /**
     * Returns a copy that places keys of unknown regions in this one.
     *
     * @throws IllegalArgumentException if no shard is in it; the message names the regions that have some
     */
    public Geographic withDefaultRegion(String region) {
        if (!regions.containsKey(region)) {
            throw new IllegalArgumentException(
                    "default region \"" + region + "\" has no shard; known regions are " + regions.keySet());
        }
        return new Geographic(regions, region);
    }

    @Override
    public ShardId locate(ShardKey key) {
        if (!(key instanceof ShardKey.OfRegion located)) {
            throw new UnroutableKeyException(
                    "key " + key + " carries no region; use ShardKey.inRegion, known regions are " + regions.keySet());
        }
        return slotsOf(located).locate(located.id());
    }

    private HashSlots slotsOf(ShardKey.OfRegion key) {
        HashSlots slots = regions.get(key.region());
        if (slots == null && defaultRegion != null) {
            slots = regions.get(defaultRegion);
        }
        if (slots == null) {
            throw new UnroutableKeyException("region \"" + key.region() + "\" of key " + key.id()
                    + " has no shard; known regions are " + regions.keySet());
        }
        return slots;
    }

    @Override
    public List<ShardId> shards() {
        return shards;
    }

    /** Returns the slots of each region. */
    public Map<String, HashSlots> regions() {
        return regions;
    }

    /** Returns the region of keys whose own is unknown, null if such keys are refused. */
    public @Nullable String defaultRegion() {
        return defaultRegion;
    }

    @Override
    public List<ShardId> between(ShardKey from, ShardKey to) {
        ShardId first = locate(from);
        locate(to);
        if (from.equals(to)) {
            return List.of(first);
        }
        if (from instanceof ShardKey.OfRegion low
                && to instanceof ShardKey.OfRegion high
                && low.region().equals(high.region())) {
            KeyOrder.requireOrdered(low.id(), high.id());
            return slotsOf(low).shards();
        }
        throw new UnroutableKeyException("the ends " + from + " and " + to + " of a range are in different regions");
    }

    @Override
    public SqlPredicate rowsOf(ShardId shard, KeyColumn column) {
        Owners.indexOf(shards, shard);
        for (Map.Entry<String, HashSlots> region : regions.entrySet()) {
            if (region.getValue().shards().contains(shard)) {
                return SqlPredicate.both(
                        SqlPredicate.of(inRegion(region.getKey(), column)),
                        region.getValue().rowsOf(shard, column));
            }
        }
        throw new IllegalStateException("shard " + shard + " is in no region");
    }

    private String inRegion(String region, KeyColumn column) {
        String here = Sql.inTexts(column.regionSql(), Set.of(region));
        return region.equals(defaultRegion)
                ? "(" + here + " or not " + Sql.inTexts(column.regionSql(), regions.keySet()) + ")"
                : here;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Geographic same
                && same.regions.equals(regions)
                && same.shards.equals(shards)
                && Objects.equals(same.defaultRegion, defaultRegion);
    }

    @Override
    public int hashCode() {
        return regions.hashCode();
    }

    @Override
    public String toString() {
        return "Geographic[" + regions + ", default=" + defaultRegion + "]";
    }
}
