package io.reactiverouter.scatter;

import io.reactiverouter.order.SortKey;
import io.reactiverouter.topology.ShardId;
import java.util.List;

/**
 * A shard delivered rows in another order than the merge goes by. Merged with the others they would be a wrong answer, so
 * there is none. The reason is a query that does not sort by the keys it says it does, a damaged index, or shards that do
 * not sort alike, as with different orders of an enum.
 */
public final class OrderViolationException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final ShardId shard;

    OrderViolationException(ShardId shard, String what, List<SortKey> order) {
        super("shard " + shard + " " + what + " " + order);
        this.shard = shard;
    }

    public ShardId shard() {
        return shard;
    }
}
