package io.reactiverouter.strategy;

import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.util.Arrays;
import java.util.List;

/**
 * The default strategy: PostgreSQL's own extended hash of the key with seed 0 ({@code hashint8extended},
 * {@code hashtextextended}, {@code uuid_hash_extended}), its top 14 bits are the slot, and each of the 16 384 slots has
 * an owner. Shares are exact to one slot. Locating a key takes one hash and one array read.
 */
public final class HashSlots implements ShardingStrategy {

    /** How many slots there are, in every cluster. */
    public static final int SLOTS = 16_384;

    private static final int MAX_SHARDS = 4_096;

    private final List<ShardId> shards;
    private final ShardId[] owners;

    private HashSlots(List<ShardId> shards, ShardId[] owners) {
        this.shards = shards;
        this.owners = owners;
    }

    /**
     * Returns slots shared out in contiguous ranges, in the order of the shards, in proportion to their weights.
     *
     * @throws IllegalArgumentException if there is no shard or more than 4 096, or a weight is so small that a shard
     *     would own no slot
     */
    public static HashSlots over(List<Shard> shards) {
        Shard.requireDistinct(shards);
        if (shards.size() > MAX_SHARDS) {
            throw new IllegalArgumentException(
                    "hash slots take at most " + MAX_SHARDS + " shards, were " + shards.size());
        }
        long total = shards.stream().mapToLong(Shard::weight).sum();
        ShardId[] owners = new ShardId[SLOTS];
        long sum = 0;
        for (Shard shard : shards) {
            // Cumulative bounds: every share is exact to one slot and the last bound is SLOTS.
            int from = (int) (sum * SLOTS / total);
            sum += shard.weight();
            int to = (int) (sum * SLOTS / total);
            if (from == to) {
                throw new IllegalArgumentException("weight " + shard.weight() + " of shard " + shard.id()
                        + " is too small beside the total of " + total + ": it would own none of the " + SLOTS
                        + " slots");
            }
            Arrays.fill(owners, from, to, shard.id());
        }
        return new HashSlots(shards.stream().map(Shard::id).toList(), owners);
    }

    @Override
    public ShardId locate(ShardKey key) {
        return owners[slot(key)];
    }

    @Override
    public List<ShardId> shards() {
        return shards;
    }

    /** Returns the slot of this key, 0 to 16 383: the same for every cluster. */
    public static int slot(ShardKey key) {
        return (int) (token(key) >>> 50);
    }

    /** Returns the 64-bit hash of this key, equal to the server's. */
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
        throw new UnroutableKeyException(
                "hash slots cannot place a key of type " + key.getClass().getSimpleName());
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

    /** Returns how many slots this shard owns; 0 for a shard that the strategy does not know. */
    public int slotsOf(ShardId shard) {
        return (int) Arrays.stream(owners).filter(shard::equals).count();
    }

    @Override
    public String toString() {
        return "HashSlots" + shards;
    }
}
