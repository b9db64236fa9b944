package io.reactiverouter.strategy;

import io.reactiverouter.topology.ShardId;
import java.util.LinkedHashSet;
import java.util.List;

/** The shards of a strategy. */
final class Owners {

    /** More shards than these have never been seen, and tables over them would grow without a use. */
    static final int MAX_SHARDS = 4_096;

    private Owners() {}

    /**
     * Returns where {@code shard} stands among {@code shards}.
     *
     * @throws IllegalArgumentException if it does not
     */
    static int indexOf(List<ShardId> shards, ShardId shard) {
        int index = shards.indexOf(shard);
        if (index < 0) {
            throw new IllegalArgumentException("shard " + shard + " is not one of the strategy's; those are " + shards);
        }
        return index;
    }

    /** Returns {@code shards} if that many can be placed on. */
    static <T> List<T> requireCount(String strategy, List<T> shards) {
        if (shards.isEmpty() || shards.size() > MAX_SHARDS) {
            throw new IllegalArgumentException(
                    strategy + " takes 1 to " + MAX_SHARDS + " shards, were " + shards.size());
        }
        return shards;
    }

    static List<ShardId> requireDistinct(String strategy, List<ShardId> shards) {
        List<ShardId> distinct = List.copyOf(new LinkedHashSet<>(requireCount(strategy, shards)));
        if (distinct.size() < shards.size()) {
            throw new IllegalArgumentException(strategy + " takes each shard once, were " + shards);
        }
        return distinct;
    }
}
