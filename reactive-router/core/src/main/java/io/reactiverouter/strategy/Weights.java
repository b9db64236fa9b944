package io.reactiverouter.strategy;

import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** The weights of a strategy's shards, in the order of the shards. */
final class Weights {

    private Weights() {}

    static void require(ShardId shard, int weight) {
        if (weight < 1) {
            throw new IllegalArgumentException("weight of shard " + shard + " must be positive, was " + weight);
        }
    }

    static Map<ShardId, Integer> with(Map<ShardId, Integer> weights, Shard shard) {
        Map<ShardId, Integer> more = new LinkedHashMap<>(weights);
        if (more.put(shard.id(), shard.weight()) != null) {
            throw new IllegalArgumentException("shard " + shard.id() + " is one of the strategy's already");
        }
        return Collections.unmodifiableMap(more);
    }

    static Map<ShardId, Integer> without(Map<ShardId, Integer> weights, ShardId shard) {
        Map<ShardId, Integer> fewer = new LinkedHashMap<>(weights);
        if (fewer.remove(shard) == null) {
            throw new IllegalArgumentException(
                    "shard " + shard + " is not one of the strategy's; those are " + weights.keySet());
        }
        if (fewer.isEmpty()) {
            throw new IllegalArgumentException(
                    "shard " + shard + " is the last of the strategy's; its keys would have no shard");
        }
        return Collections.unmodifiableMap(fewer);
    }

    /** Returns a copy with these weights changed. */
    static Map<ShardId, Integer> changed(Map<ShardId, Integer> weights, Map<ShardId, Integer> changes) {
        Map<ShardId, Integer> changed = new LinkedHashMap<>(weights);
        changes.forEach((shard, weight) -> {
            require(shard, weight);
            if (changed.replace(shard, weight) == null) {
                throw new IllegalArgumentException(
                        "shard " + shard + " is not one of the strategy's; those are " + weights.keySet());
            }
        });
        return Collections.unmodifiableMap(changed);
    }
}
