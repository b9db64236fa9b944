package io.reactiverouter.scatter;

import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** How one shard's part of a scatter-gather ended. */
public sealed interface ShardOutcome {

    ShardId shard();

    /**
     * Returns how many rows the shard delivered, of which a limit or a failure may have left some out of the answer; for a
     * statement without rows, how many it wrote.
     */
    long rows();

    /** Returns the time from asking the shard to its first row, null if there was none. */
    @Nullable Duration firstRow();

    /** Returns the time from asking the shard to the end of its part. */
    Duration elapsed();

    /** The shard has delivered everything. */
    record Complete(ShardId shard, long rows, @Nullable Duration firstRow, Duration elapsed) implements ShardOutcome {}

    /** The shard was stopped, or never asked, because the answer had as many rows as its limit before: nothing is missing. */
    record Limited(ShardId shard, long rows, @Nullable Duration firstRow, Duration elapsed) implements ShardOutcome {}

    /** The shard kept the caller waiting for longer than its time limit, or the deadline of the whole call came. */
    record TimedOut(ShardId shard, long rows, @Nullable Duration firstRow, Duration elapsed) implements ShardOutcome {}

    /** The shard failed; rows delivered before stay delivered. */
    record Failed(ShardId shard, long rows, @Nullable Duration firstRow, Duration elapsed, Throwable cause)
            implements ShardOutcome {

        /** Returns the server's code for the failure, null if it has none. */
        public @Nullable String sqlState() {
            return cause instanceof R2dbcException error ? error.getSqlState() : null;
        }
    }

    /** The shard had been asked and was stopped, because another one failed. */
    record Cancelled(ShardId shard, long rows, @Nullable Duration firstRow, Duration elapsed) implements ShardOutcome {}

    /** The shard was never asked, because another one had failed before its turn. */
    record Skipped(ShardId shard) implements ShardOutcome {

        @Override
        public long rows() {
            return 0;
        }

        @Override
        public @Nullable Duration firstRow() {
            return null;
        }

        @Override
        public Duration elapsed() {
            return Duration.ZERO;
        }
    }
}
