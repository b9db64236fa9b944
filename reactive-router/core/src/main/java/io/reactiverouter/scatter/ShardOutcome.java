package io.reactiverouter.scatter;

import io.reactiverouter.topology.ShardId;
import java.time.Duration;

/** How one shard's part of a scatter-gather ended. */
public sealed interface ShardOutcome {

    ShardId shard();

    /** Returns how many rows the shard delivered; for a statement without rows, how many it wrote. */
    long rows();

    /** Returns the time from asking the shard to the end of its part. */
    Duration elapsed();

    /** The shard has delivered everything. */
    record Complete(ShardId shard, long rows, Duration elapsed) implements ShardOutcome {}

    /** The shard kept the caller waiting for longer than the time limit. */
    record TimedOut(ShardId shard, long rows, Duration elapsed) implements ShardOutcome {}

    /** The shard failed; rows delivered before stay delivered. */
    record Failed(ShardId shard, long rows, Duration elapsed, Throwable cause) implements ShardOutcome {}

    /** The shard had been asked and was stopped, because another one failed. */
    record Cancelled(ShardId shard, long rows, Duration elapsed) implements ShardOutcome {}

    /** The shard was never asked, because another one had failed before its turn. */
    record Skipped(ShardId shard) implements ShardOutcome {

        @Override
        public long rows() {
            return 0;
        }

        @Override
        public Duration elapsed() {
            return Duration.ZERO;
        }
    }
}
