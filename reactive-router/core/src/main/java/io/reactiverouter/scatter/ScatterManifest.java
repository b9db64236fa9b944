package io.reactiverouter.scatter;

import io.reactiverouter.topology.ShardId;
import java.util.List;

/**
 * How each shard's part of a scatter-gather ended.
 *
 * @param outcomes one for each shard, in the order of the route
 */
public record ScatterManifest(List<ShardOutcome> outcomes) {

    public ScatterManifest {
        outcomes = List.copyOf(outcomes);
    }

    /** Says whether the answer is whole: every shard has delivered all that the answer needed; if not, it is partial. */
    public boolean isComplete() {
        return outcomes.stream().allMatch(ScatterManifest::isWhole);
    }

    /** Returns the shards of which rows are missing in the answer. */
    public List<ShardId> missing() {
        return outcomes.stream()
                .filter(outcome -> !isWhole(outcome))
                .map(ShardOutcome::shard)
                .toList();
    }

    private static boolean isWhole(ShardOutcome outcome) {
        return outcome instanceof ShardOutcome.Complete || outcome instanceof ShardOutcome.Limited;
    }

    /** Returns the sum of rows that the shards delivered. */
    public long rows() {
        return outcomes.stream().mapToLong(ShardOutcome::rows).sum();
    }
}
