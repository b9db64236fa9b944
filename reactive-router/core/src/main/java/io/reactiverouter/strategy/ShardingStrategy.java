package io.reactiverouter.strategy;

import io.reactiverouter.topology.ShardId;
import java.util.List;

/**
 * The rule that places every key on a shard. A strategy is an immutable value: a new layout is a new strategy.
 *
 * <p>An implementation must be total over the key types it takes, deterministic in every process and version, answer only
 * with shards of {@link #shards()}, and be safe for use by any number of threads without locks: it runs on the path of
 * every statement.
 */
public interface ShardingStrategy {

    /**
     * Returns the shard that holds the rows of this key.
     *
     * @throws UnroutableKeyException if the strategy cannot place the key
     */
    ShardId locate(ShardKey key);

    /** Returns the shards that this strategy places keys on, each once, in a stable order. */
    List<ShardId> shards();

    /**
     * Returns hash slots over the shards of the cluster by their weights: the default. Takes integer, text and UUID keys;
     * see {@link HashSlots}.
     */
    static StrategyFactory hashSlots() {
        return HashSlots::over;
    }

    /**
     * Returns {@code key mod N} over the shards of the cluster in their order. Takes integer keys; see {@link Modulo}.
     */
    static StrategyFactory modulo() {
        return Modulo::over;
    }
}
