package io.reactiverouter.strategy;

import io.reactiverouter.topology.ShardId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * Keys that are pinned to shards, as a large tenant that gets a shard of its own; another strategy places the rest. A
 * change of pins is a new strategy, which moves no rows by itself.
 */
public final class Directory implements ShardingStrategy {

    /** Pins beyond this number would make predicates that are too long. */
    private static final int MAX_PINS = 10_000;

    private static final int MAX_NESTING = 8;

    private final ShardingStrategy rest;
    private final Map<ShardKey, ShardId> pins;
    private final List<ShardId> shards;

    private Directory(ShardingStrategy rest, Map<ShardKey, ShardId> pins) {
        this.rest = rest;
        this.pins = pins;
        if (nesting() > MAX_NESTING) {
            throw new IllegalArgumentException("directories can be nested " + MAX_NESTING + " deep at most");
        }
        pins.keySet().stream()
                .filter(key -> key instanceof ShardKey.OfRegion && !takesRegions())
                .findFirst()
                .ifPresent(key -> {
                    throw new IllegalArgumentException(
                            "key " + key
                                    + " is pinned with a region, but the strategy of the other keys takes none; pin it without");
                });
        Set<ShardId> all = new LinkedHashSet<>(rest.shards());
        // In the order of their names: pins from a map can come in any.
        pins.values().stream().sorted(Comparator.comparing(ShardId::value)).forEach(all::add);
        this.shards = List.copyOf(all);
    }

    private int nesting() {
        return rest instanceof Directory other ? 1 + other.nesting() : 1;
    }

    /** Returns a directory without pins: {@code rest} places every key. */
    public static Directory over(ShardingStrategy rest) {
        return new Directory(rest, Collections.emptyMap());
    }

    /**
     * Returns a copy in which {@code key} is on {@code shard}, which may be one that {@code rest} places nothing on.
     *
     * @throws IllegalArgumentException if there would be more than 10 000 pins, or the key has a region and the other keys
     *     are not placed by region
     */
    public Directory pin(ShardKey key, ShardId shard) {
        return withPins(Map.of(UnroutableKeyException.requireNonNull(key), shard));
    }

    /**
     * Returns a copy with all of these pins in addition.
     *
     * @throws IllegalArgumentException if there would be more than 10 000 pins, or the key has a region and the other keys
     *     are not placed by region
     */
    public Directory withPins(Map<ShardKey, ShardId> added) {
        Map<ShardKey, ShardId> more = new LinkedHashMap<>(pins);
        added.forEach((key, shard) -> more.put(UnroutableKeyException.requireNonNull(key), shard));
        if (more.size() > MAX_PINS) {
            throw new IllegalArgumentException(
                    "a directory takes at most " + MAX_PINS + " pins; use ranges or hash slots for that many keys");
        }
        return new Directory(rest, Collections.unmodifiableMap(more));
    }

    /**
     * Returns a copy without the pin of {@code key}.
     *
     * @throws IllegalArgumentException if it has none
     */
    public Directory unpin(ShardKey key) {
        Map<ShardKey, ShardId> fewer = new LinkedHashMap<>(pins);
        if (fewer.remove(key) == null) {
            throw new IllegalArgumentException("key " + key + " is not pinned");
        }
        return new Directory(rest, Collections.unmodifiableMap(fewer));
    }

    /** Returns a copy in which another strategy places the keys without a pin. */
    public Directory withRest(ShardingStrategy other) {
        return new Directory(other, pins);
    }

    @Override
    public ShardId locate(ShardKey key) {
        ShardId pinned = pins.get(key);
        return pinned == null ? rest.locate(key) : pinned;
    }

    @Override
    public List<ShardId> shards() {
        return shards;
    }

    @Override
    public List<ShardId> between(ShardKey from, ShardKey to) {
        if (from.equals(to)) {
            return List.of(locate(from));
        }
        Set<ShardId> holding = new LinkedHashSet<>(rest.between(from, to));
        pins.forEach((key, shard) -> {
            if (KeyOrder.isBetween(from, key, to)) {
                holding.add(shard);
            }
        });
        return List.copyOf(holding);
    }

    /** Returns the pins in the order in which they were made. */
    public Map<ShardKey, ShardId> pins() {
        return pins;
    }

    /** Returns the strategy of the keys without a pin. */
    public ShardingStrategy rest() {
        return rest;
    }

    @Override
    public SqlPredicate rowsOf(ShardId shard, KeyColumn column) {
        Owners.indexOf(shards, shard);
        List<ShardKey> here = new ArrayList<>();
        List<ShardKey> all = new ArrayList<>();
        pins.forEach((key, owner) -> {
            if (column.type() == KeyType.of(key)) {
                all.add(key);
                if (owner.equals(shard)) {
                    here.add(key);
                }
            }
        });
        SqlPredicate byRest = rest.shards().contains(shard) ? rest.rowsOf(shard, column) : null;
        if (all.isEmpty()) {
            return byRest == null ? SqlPredicate.of("false") : byRest;
        }
        SqlPredicate unpinned =
                byRest == null ? null : SqlPredicate.both(SqlPredicate.of("not " + oneOf(column, all)), byRest);
        if (here.isEmpty()) {
            return unpinned == null ? SqlPredicate.of("false") : unpinned;
        }
        SqlPredicate pinned = SqlPredicate.of(oneOf(column, here));
        return unpinned == null ? pinned : SqlPredicate.either(pinned, unpinned);
    }

    /** Returns the predicate that the key is one of these; false, not null, where only the region is missing. */
    private String oneOf(KeyColumn column, List<ShardKey> keys) {
        if (!takesRegions()) {
            return Sql.in(column, keys);
        }
        Map<String, List<ShardKey>> inRegion = new LinkedHashMap<>();
        List<ShardKey> plain = new ArrayList<>();
        for (ShardKey key : keys) {
            if (key instanceof ShardKey.OfRegion located) {
                inRegion.computeIfAbsent(located.region(), added -> new ArrayList<>())
                        .add(located.id());
            } else {
                plain.add(key);
            }
        }
        String region = column.regionSql();
        StringJoiner any = new StringJoiner(" or ", "(", ")");
        if (!plain.isEmpty()) {
            // A key without a region is another key than the same id in a region.
            any.add(region + " is null and " + Sql.in(column, plain));
        }
        inRegion.forEach((name, ids) -> any.add(
                region + " is not null and " + Sql.inTexts(region, Set.of(name)) + " and " + Sql.in(column, ids)));
        return any.toString();
    }

    private boolean takesRegions() {
        return rest instanceof Geographic || (rest instanceof Directory other && other.takesRegions());
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Directory same && same.rest.equals(rest) && same.pins.equals(pins);
    }

    @Override
    public int hashCode() {
        return 31 * rest.hashCode() + pins.hashCode();
    }

    @Override
    public String toString() {
        return "Directory[" + pins.size() + " pins, rest=" + rest + "]";
    }
}
