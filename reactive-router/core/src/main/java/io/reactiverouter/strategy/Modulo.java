package io.reactiverouter.strategy;

import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code key mod N} over N shards in the order in which the cluster names them, never negative: key 7 of 2 shards and key
 * -1 of 2 shards are on the second. Takes integer keys only. Changing N moves nearly every key: for tenant ids that are
 * given out evenly and a number of shards that stays.
 */
public final class Modulo implements ShardingStrategy {

    private final List<ShardId> shards;
    private final ShardId[] byRemainder;

    private Modulo(List<ShardId> shards) {
        this.shards = shards;
        this.byRemainder = shards.toArray(ShardId[]::new);
    }

    /**
     * Returns the strategy over these shards; weights do not count.
     *
     * @throws IllegalArgumentException if there is no shard
     */
    public static Modulo over(List<Shard> shards) {
        return of(Shard.requireDistinct(shards).stream().map(Shard::id).toList());
    }

    /**
     * Returns the strategy over these shards.
     *
     * @throws IllegalArgumentException if there is no shard or more than 4 096, or one comes twice
     */
    public static Modulo of(List<ShardId> shards) {
        return new Modulo(Owners.requireDistinct("modulo", shards));
    }

    @Override
    public ShardId locate(ShardKey key) {
        if (key instanceof ShardKey.OfLong number) {
            return byRemainder[(int) Math.floorMod(number.value(), (long) byRemainder.length)];
        }
        throw new UnroutableKeyException("modulo places integer keys only, was " + key
                + "; pass ShardKey.of(long) or choose hash slots, which take text and UUID keys");
    }

    @Override
    public List<ShardId> shards() {
        return shards;
    }

    @Override
    public SqlPredicate rowsOf(ShardId shard, KeyColumn column) {
        int remainder = Owners.indexOf(shards, shard);
        if (column.type() != KeyType.INTEGER) {
            return SqlPredicate.unavailable(
                    "modulo places integer keys only, column " + column.name() + " is of type " + column.type());
        }
        // PostgreSQL's remainder has the sign of the key.
        int count = shards.size();
        return SqlPredicate.of("(" + column.sql() + " % " + count + " + " + count + ") % " + count + " = " + remainder);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Modulo modulo && modulo.shards.equals(shards);
    }

    @Override
    public int hashCode() {
        return shards.hashCode();
    }

    @Override
    public String toString() {
        return "Modulo" + shards;
    }
}
