package io.reactiverouter.demo.trading;

import io.reactiverouter.scatter.ScatterManifest;
import io.reactiverouter.scatter.ShardOutcome;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How an answer of all shards ended, as clients see it. Causes of failures stay in the log.
 *
 * @param complete whether the answer is whole
 * @param missing shards of which rows are missing
 * @param rows rows that were sent to the client, for it to compare
 * @param shards one for each shard
 */
record ManifestView(boolean complete, List<String> missing, long rows, List<Part> shards) {

    /**
     * One shard's part.
     *
     * @param outcome complete, limited (nothing is missing), timed-out, failed, cancelled or skipped
     * @param rows rows that the shard delivered, some of them perhaps not needed
     * @param firstRowMillis time to the first row, null if there was none
     * @param sqlState the server's code for a failure, null if it has none
     */
    record Part(
            String shard,
            String outcome,
            long rows,
            @Nullable Long firstRowMillis,
            long elapsedMillis,
            @Nullable String sqlState) {

        static Part of(ShardOutcome outcome) {
            Duration first = outcome.firstRow();
            return new Part(
                    outcome.shard().value(),
                    name(outcome),
                    outcome.rows(),
                    first == null ? null : first.toMillis(),
                    outcome.elapsed().toMillis(),
                    outcome instanceof ShardOutcome.Failed failed ? failed.sqlState() : null);
        }

        private static String name(ShardOutcome outcome) {
            if (outcome instanceof ShardOutcome.Complete) {
                return "complete";
            }
            if (outcome instanceof ShardOutcome.Limited) {
                return "limited";
            }
            if (outcome instanceof ShardOutcome.TimedOut) {
                return "timed-out";
            }
            if (outcome instanceof ShardOutcome.Cancelled) {
                return "cancelled";
            }
            return outcome instanceof ShardOutcome.Skipped ? "skipped" : "failed";
        }
    }

    static ManifestView of(ScatterManifest manifest, long rows) {
        return new ManifestView(
                manifest.isComplete(),
                manifest.missing().stream().map(ShardId::value).toList(),
                rows,
                manifest.outcomes().stream().map(Part::of).toList());
    }
}
