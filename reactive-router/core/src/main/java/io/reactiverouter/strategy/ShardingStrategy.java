package io.reactiverouter.strategy;

import io.reactiverouter.topology.ShardId;
import java.util.List;
import java.util.Map;

/**
 * The rule that places every key on a shard. A strategy is an immutable value: a new layout is a new strategy.
 *
 * <p>An implementation must be total over the key types it takes, deterministic in every process and version, answer only
 * with shards of {@link #shards()}, and be safe for use by any number of threads without locks: it runs on the path of
 * every statement. {@code ShardingStrategyContract} of reactive-router-test checks that.
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
     * Returns the shards that can hold keys from {@code from} to {@code to}, both included: all shards, unless the
     * strategy keeps keys in order or the two are one key.
     *
     * @throws UnroutableKeyException if the strategy cannot place keys of that type, or {@code from} is after {@code to}
     */
    default List<ShardId> between(ShardKey from, ShardKey to) {
        KeyOrder.requireOrdered(from, to);
        ShardId first = locate(from);
        locate(to);
        return from.equals(to) ? List.of(first) : shards();
    }

    /**
     * Renders this rule as SQL: "the row belongs to {@code shard}". Agrees with {@link #locate} on every key.
     *
     * @throws IllegalArgumentException if {@code shard} is not one of {@link #shards()}
     */
    default SqlPredicate rowsOf(ShardId shard, KeyColumn column) {
        return SqlPredicate.unavailable(getClass().getSimpleName() + " has no SQL form");
    }

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

    /**
     * Returns MD5 of the key's text, mod N, over the shards of the cluster in their order. Takes integer, text and UUID
     * keys; see {@link Md5}.
     */
    static StrategyFactory md5() {
        return Md5::over;
    }

    /**
     * Returns a hash ring over the shards of the cluster with {@value ConsistentHash#DEFAULT_VIRTUAL_NODES} virtual nodes
     * for each unit of weight. Takes integer, text and UUID keys; see {@link ConsistentHash}.
     */
    static StrategyFactory consistentHash() {
        return consistentHash(ConsistentHash.DEFAULT_VIRTUAL_NODES);
    }

    /** Returns a hash ring with this number of virtual nodes for each unit of weight. */
    static StrategyFactory consistentHash(int virtualNodes) {
        return shards -> ConsistentHash.over(shards, virtualNodes);
    }

    /** Returns placement by region, without a default region; see {@link Geographic}. */
    static StrategyFactory geographic() {
        return Geographic::over;
    }

    /** Returns placement by region, where keys of unknown regions go to {@code defaultRegion}. */
    static StrategyFactory geographic(String defaultRegion) {
        return shards -> Geographic.over(shards).withDefaultRegion(defaultRegion);
    }

    /** Returns {@code rest} with these keys pinned to shards; see {@link Directory}. */
    static StrategyFactory directory(StrategyFactory rest, Map<ShardKey, ShardId> pins) {
        return shards -> Directory.over(rest.create(shards)).withPins(pins);
    }
}
