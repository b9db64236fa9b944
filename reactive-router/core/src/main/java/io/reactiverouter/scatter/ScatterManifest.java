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

    /** Says whether every shard has delivered everything; if not, the answer is partial. */
    public boolean isComplete() {
        return outcomes.stream().allMatch(ShardOutcome.Complete.class::isInstance);
    }

    /** Returns the shards whose rows are not all in the answer. */
    public List<ShardId> missing() {
        return outcomes.stream()
                .filter(outcome -> !(outcome instanceof ShardOutcome.Complete))
                .map(ShardOutcome::shard)
                .toList();
    }

    /** Returns the sum of rows. */
    public long rows() {
        return outcomes.stream().mapToLong(ShardOutcome::rows).sum();
    }
}
