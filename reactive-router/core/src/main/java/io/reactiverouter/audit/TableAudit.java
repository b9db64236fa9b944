package io.reactiverouter.audit;

import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.topology.ShardId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one table on one shard holds.
 *
 * @param shard the shard
 * @param table the table
 * @param rows all its rows there
 * @param misplaced rows of it that belong to another shard or to none; must be 0
 * @param examples some of the misplaced rows, perhaps not all
 */
public record TableAudit(ShardId shard, String table, long rows, long misplaced, List<Misplaced> examples) {

    public TableAudit {
        examples = List.copyOf(examples);
    }

    TableAudit withExamples(List<Misplaced> found) {
        return new TableAudit(shard, table, rows, misplaced, found);
    }

    /**
     * A row on a shard where the router does not look for it.
     *
     * @param key its key, null if the column is null
     * @param belongsTo the shard of the key, null if it has none
     * @param reason why the key has no shard, null if it has one
     */
    public record Misplaced(
            @Nullable ShardKey key,
            @Nullable ShardId belongsTo,
            @Nullable String reason) {}
}
