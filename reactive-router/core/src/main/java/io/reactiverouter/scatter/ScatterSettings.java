package io.reactiverouter.scatter;

import io.reactiverouter.connection.AnswerTimeout;
import io.reactiverouter.connection.Limits;
import io.reactiverouter.topology.ReadPreference;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How a scatter-gather behaves.
 *
 * @param shardTimeout how long one shard may keep the caller waiting; null is no limit
 * @param deadline how long the whole call may take, the subscriber's own time included; null is no limit
 * @param policy what a failing shard does to the others
 * @param concurrency shards asked at the same time at most
 * @param reading which nodes are read from; null is the primaries, where the query may also write
 */
public record ScatterSettings(
        @Nullable Duration shardTimeout,
        @Nullable Duration deadline,
        FailurePolicy policy,
        int concurrency,
        @Nullable ReadPreference reading) {

    public ScatterSettings {
        if (shardTimeout != null) {
            AnswerTimeout.require(shardTimeout);
        }
        if (deadline != null) {
            AnswerTimeout.require(deadline);
        }
        Objects.requireNonNull(policy, "failure policy must not be null");
        Limits.atLeast("scatter concurrency", 1, concurrency);
    }

    public ScatterSettings withShardTimeout(Duration timeout) {
        return new ScatterSettings(timeout, deadline, policy, concurrency, reading);
    }

    public ScatterSettings withDeadline(Duration limit) {
        return new ScatterSettings(shardTimeout, limit, policy, concurrency, reading);
    }

    public ScatterSettings withPolicy(FailurePolicy newPolicy) {
        return new ScatterSettings(shardTimeout, deadline, newPolicy, concurrency, reading);
    }

    public ScatterSettings withConcurrency(int shards) {
        return new ScatterSettings(shardTimeout, deadline, policy, shards, reading);
    }

    public ScatterSettings withReading(@Nullable ReadPreference preference) {
        return new ScatterSettings(shardTimeout, deadline, policy, concurrency, preference);
    }
}
