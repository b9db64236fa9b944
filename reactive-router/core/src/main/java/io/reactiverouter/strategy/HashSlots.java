package io.reactiverouter.strategy;

import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The default strategy: PostgreSQL's own extended hash of the key with seed 0 ({@code hashint8extended},
 * {@code hashtextextended}, {@code uuid_hash_extended}) is the token, its top 14 bits are the slot, and each of the 16 384
 * slots has an owner. Shares are exact to one slot. Locating a key takes one hash and one array read.
 *
 * <p>A changed layout moves as few slots as the new shares allow, and none between two shards that both stay with their
 * weight. Takes integer, text and UUID keys.
 */
public final class HashSlots implements ShardingStrategy {

    /** How many slots there are, in every cluster. */
    public static final int SLOTS = 16_384;

    private static final int TOKEN_BITS_BELOW_SLOT = 50;

    private final Map<ShardId, Integer> weights;
    private final List<ShardId> shards;
    private final ShardId[] owners;

    private HashSlots(Map<ShardId, Integer> weights, ShardId[] owners) {
        this.weights = weights;
        this.shards = List.copyOf(weights.keySet());
        this.owners = owners;
    }

    /**
     * Returns slots shared out in contiguous ranges, in the order of the shards, in proportion to their weights.
     *
     * @throws IllegalArgumentException if there is no shard or more than 4 096, or a weight is so small that a shard
     *     would own no slot
     */
    public static HashSlots over(List<Shard> shards) {
        Map<ShardId, Integer> weights = new LinkedHashMap<>();
        Shard.requireDistinct(shards).forEach(shard -> weights.put(shard.id(), shard.weight()));
        Owners.requireCount("hash slots", shards);
        long total = total(weights);
        ShardId[] owners = new ShardId[SLOTS];
        long sum = 0;
        for (Map.Entry<ShardId, Integer> weight : weights.entrySet()) {
            // Cumulative bounds: every share is exact to one slot and the last bound is SLOTS.
            int from = (int) (sum * SLOTS / total);
            sum += weight.getValue();
            int to = (int) (sum * SLOTS / total);
            if (from == to || (long) weight.getValue() * SLOTS < total) {
                throw tooSmall(weight.getKey(), weight.getValue(), total);
            }
            Arrays.fill(owners, from, to, weight.getKey());
        }
        return new HashSlots(Collections.unmodifiableMap(weights), owners);
    }

    /**
     * Returns slots with these owners, which need not be in proportion to the weights: they are not while slots are being
     * moved. Later changes then come as near to the proportion as they can without moving slots between shards that stay.
     *
     * @param weights the shards in order, and the weights that later changes start from
     * @param owners the owner of each slot
     * @throws IllegalArgumentException if there is not one owner for each of the 16 384 slots, an owner has no weight, a
     *     weight is not positive, or a shard owns nothing
     */
    public static HashSlots of(Map<ShardId, Integer> weights, List<ShardId> owners) {
        Owners.requireCount("hash slots", List.copyOf(weights.keySet()));
        weights.forEach(Weights::require);
        if (owners.size() != SLOTS) {
            throw new IllegalArgumentException(
                    "a slot table has " + SLOTS + " owners, one for each slot; this has " + owners.size());
        }
        for (int slot = 0; slot < SLOTS; slot++) {
            if (!weights.containsKey(owners.get(slot))) {
                throw new IllegalArgumentException("slot " + slot + " belongs to shard " + owners.get(slot)
                        + ", which is not one of the strategy's; those are " + weights.keySet());
            }
        }
        HashSlots slots = new HashSlots(
                Collections.unmodifiableMap(new LinkedHashMap<>(weights)), owners.toArray(ShardId[]::new));
        Map<ShardId, Integer> counts = slots.counts();
        slots.shards.stream()
                .filter(shard -> !counts.containsKey(shard))
                .findFirst()
                .ifPresent(shard -> {
                    throw new IllegalArgumentException("shard " + shard + " owns none of the " + SLOTS + " slots");
                });
        return slots;
    }

    @Override
    public ShardId locate(ShardKey key) {
        return owners[slot(key)];
    }

    @Override
    public List<ShardId> shards() {
        return shards;
    }

    /** Returns the weight of each shard. */
    public Map<ShardId, Integer> weights() {
        return weights;
    }

    /** Returns the slot of this key, 0 to 16 383: the same for every cluster. */
    public static int slot(ShardKey key) {
        return (int) (token(key) >>> TOKEN_BITS_BELOW_SLOT);
    }

    /**
     * Returns the 64-bit hash of this key, equal to the server's.
     *
     * @throws UnroutableKeyException if the key is a timestamp or carries a region
     */
    public static long token(ShardKey key) {
        if (key instanceof ShardKey.OfLong number) {
            return PostgresHash.ofLong(number.value());
        }
        if (key instanceof ShardKey.OfText text) {
            return PostgresHash.ofText(text.value());
        }
        if (key instanceof ShardKey.OfUuid uuid) {
            return PostgresHash.ofUuid(uuid.value());
        }
        throw new UnroutableKeyException("a hash places integer, text and UUID keys only, was " + key);
    }

    /**
     * Returns the owner of a slot.
     *
     * @throws IllegalArgumentException if the slot is not 0 to 16 383
     */
    public ShardId owner(int slot) {
        if (slot < 0 || slot >= SLOTS) {
            throw new IllegalArgumentException("slot must satisfy 0 <= slot < " + SLOTS + ", was " + slot);
        }
        return owners[slot];
    }

    /** Returns the owner of each slot. */
    public List<ShardId> owners() {
        return List.of(owners);
    }

    /** Returns how many slots this shard owns; 0 for a shard that the strategy does not know. */
    public int slotsOf(ShardId shard) {
        return (int) Arrays.stream(owners).filter(shard::equals).count();
    }

    /** Returns how many slots have another owner in {@code other}. */
    public int movesTo(HashSlots other) {
        int moves = 0;
        for (int slot = 0; slot < SLOTS; slot++) {
            if (!owners[slot].equals(other.owners[slot])) {
                moves++;
            }
        }
        return moves;
    }

    /**
     * Returns slots with one more shard: it gets its share from all others, and nothing else moves.
     *
     * @throws IllegalArgumentException if the shard is there already, or a shard would own no slot
     */
    public HashSlots withShard(Shard shard) {
        Map<ShardId, Integer> more = Weights.with(weights, shard);
        Owners.requireCount("hash slots", List.copyOf(more.keySet()));
        return shared(more);
    }

    /**
     * Returns slots without this shard: the others get its slots, and nothing else moves.
     *
     * @throws IllegalArgumentException if the shard is not there or is the last
     */
    public HashSlots withoutShard(ShardId shard) {
        return shared(Weights.without(weights, shard));
    }

    /**
     * Returns slots in which these shards have other weights; those that are not named keep theirs.
     *
     * @throws IllegalArgumentException if a shard is not there, a weight is not positive, or a shard would own no slot
     */
    public HashSlots withWeights(Map<ShardId, Integer> changes) {
        return shared(Weights.changed(weights, changes));
    }

    /** Moves slots from those that own too many to those that own too few. */
    private HashSlots shared(Map<ShardId, Integer> newWeights) {
        Map<ShardId, Integer> targets = targets(newWeights);
        ShardId[] moved = owners.clone();
        Map<ShardId, Integer> counts = new HashMap<>();
        List<Integer> free = new ArrayList<>();
        for (int slot = 0; slot < SLOTS; slot++) {
            ShardId owner = owners[slot];
            if (counts.merge(owner, 1, Integer::sum) > targets.getOrDefault(owner, 0)) {
                free.add(slot);
            }
        }
        int next = 0;
        for (ShardId shard : targets.keySet().stream()
                .sorted(Comparator.comparing(ShardId::value))
                .toList()) {
            int missing = targets.getOrDefault(shard, 0) - counts.getOrDefault(shard, 0);
            for (int i = 0; i < missing; i++) {
                moved[free.get(next++)] = shard;
            }
        }
        return new HashSlots(newWeights, moved);
    }

    /**
     * Returns how many slots each shard is to own: its exact share rounded down or up, whichever moves less. A shard that
     * stays with its weight only loses when the total has grown, and only gains when it has shrunk, so that no two of them
     * exchange slots; where rounding leaves something over, a shard whose weight has changed takes it.
     */
    private Map<ShardId, Integer> targets(Map<ShardId, Integer> newWeights) {
        long total = total(newWeights);
        Map<ShardId, Integer> owned = counts();
        boolean grown = total >= total(weights);
        boolean shrunk = total <= total(weights);
        Map<ShardId, Integer> targets = new LinkedHashMap<>();
        Map<ShardId, Integer> most = new HashMap<>();
        List<ShardId> changed = new ArrayList<>();
        int left = SLOTS;
        for (Map.Entry<ShardId, Integer> weight : newWeights.entrySet()) {
            ShardId shard = weight.getKey();
            int low = (int) ((long) weight.getValue() * SLOTS / total);
            int high = (long) weight.getValue() * SLOTS % total == 0 ? low : low + 1;
            if (weight.getValue().equals(weights.get(shard))) {
                int now = owned.getOrDefault(shard, 0);
                if (grown) {
                    high = Math.min(high, now);
                    low = Math.min(low, now);
                }
                if (shrunk) {
                    low = Math.max(low, now);
                    high = Math.max(high, now);
                }
            } else {
                changed.add(shard);
            }
            targets.put(shard, low);
            most.put(shard, high);
            left -= low;
        }
        List<ShardId> order = new ArrayList<>(newWeights.keySet());
        // Those who would have to give a slot away first, then those with the largest remainder.
        order.sort(Comparator.<ShardId, Boolean>comparing(
                        shard -> targets.getOrDefault(shard, 0) >= owned.getOrDefault(shard, 0))
                .thenComparing(
                        shard -> newWeights.getOrDefault(shard, 0).longValue() * SLOTS % total,
                        Comparator.reverseOrder())
                // The order of the shards must not count, it can be that of any map.
                .thenComparing(ShardId::value));
        for (ShardId shard : order) {
            if (left > 0 && targets.getOrDefault(shard, 0) < most.getOrDefault(shard, 0)) {
                targets.merge(shard, 1, Integer::sum);
                left--;
            }
        }
        // What is left is kept by those who would have to give it away, or taken by those whose weight has changed.
        left = spread(left, order, targets, false);
        spread(left, changed.isEmpty() ? order : changed, targets, true);
        targets.forEach((shard, target) -> {
            int weight = newWeights.getOrDefault(shard, 0);
            if (target < 1 || (long) weight * SLOTS < total) {
                throw tooSmall(shard, weight, total);
            }
        });
        return targets;
    }

    /** Shares out {@code left} slots one by one, takes them from those who would gain if it is negative; returns the rest. */
    private int spread(int left, List<ShardId> among, Map<ShardId, Integer> targets, boolean always) {
        Map<ShardId, Integer> now = counts();
        boolean moved = true;
        while (left != 0 && moved) {
            moved = false;
            for (ShardId shard : among) {
                int target = targets.getOrDefault(shard, 0);
                if (left > 0 && (always || target < now.getOrDefault(shard, 0))) {
                    targets.put(shard, target + 1);
                    left--;
                    moved = true;
                } else if (left < 0 && target > now.getOrDefault(shard, 0)) {
                    targets.put(shard, target - 1);
                    left++;
                    moved = true;
                }
            }
        }
        return left;
    }

    private Map<ShardId, Integer> counts() {
        Map<ShardId, Integer> counts = new HashMap<>();
        for (ShardId owner : owners) {
            counts.merge(owner, 1, Integer::sum);
        }
        return counts;
    }

    private static long total(Map<ShardId, Integer> weights) {
        return weights.values().stream().mapToLong(Integer::longValue).sum();
    }

    private static IllegalArgumentException tooSmall(ShardId shard, int weight, long total) {
        return new IllegalArgumentException("weight " + weight + " of shard " + shard
                + " is too small beside the total of " + total + ": it would own none of the " + SLOTS + " slots");
    }

    @Override
    public SqlPredicate rowsOf(ShardId shard, KeyColumn column) {
        Owners.indexOf(shards, shard);
        String token = tokenSql(column);
        if (token == null) {
            return noToken(column);
        }
        if (shards.size() == 1) {
            return SqlPredicate.of(column.sql() + " is not null");
        }
        List<Sql.Interval> intervals = new ArrayList<>();
        for (int slot = 0; slot < SLOTS; slot++) {
            if (owners[slot].equals(shard)) {
                int from = slot;
                while (slot + 1 < SLOTS && owners[slot + 1].equals(shard)) {
                    slot++;
                }
                intervals.add(new Sql.Interval(from, slot));
            }
        }
        return SqlPredicate.of(
                Sql.within("((" + token + " >> " + TOKEN_BITS_BELOW_SLOT + ") & " + (SLOTS - 1) + ")", intervals));
    }

    /** Returns the predicate that the token of a column lies in one of these intervals. */
    static SqlPredicate tokensWithin(KeyColumn column, List<Sql.Interval> intervals) {
        String token = tokenSql(column);
        return token == null ? noToken(column) : SqlPredicate.of(Sql.within(token, intervals));
    }

    private static SqlPredicate noToken(KeyColumn column) {
        return SqlPredicate.unavailable("a hash places integer, text and UUID keys only, column " + column.name()
                + " is of type " + column.type());
    }

    private static @Nullable String tokenSql(KeyColumn column) {
        return switch (column.type()) {
            case INTEGER -> "hashint8extended(" + column.sql() + ", 0)";
            case TEXT -> "hashtextextended(" + Sql.comparable(column) + ", 0)";
            case UUID -> "uuid_hash_extended(" + column.sql() + ", 0)";
            case TIMESTAMP -> null;
        };
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof HashSlots slots
                && slots.shards.equals(shards)
                && slots.weights.equals(weights)
                && Arrays.equals(slots.owners, owners);
    }

    @Override
    public int hashCode() {
        return 31 * weights.hashCode() + Arrays.hashCode(owners);
    }

    @Override
    public String toString() {
        return "HashSlots" + weights;
    }
}
