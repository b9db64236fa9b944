package io.reactiverouter.scatter;

import io.reactiverouter.order.SortPlan;
import io.reactiverouter.order.SortValues;
import io.reactiverouter.topology.ShardId;
import java.util.Comparator;

/** A row with what it is sorted by. */
record Keyed<T>(ShardId shard, SortPlan plan, SortValues keys, T value) {

    static final Comparator<Keyed<?>> ORDER = (one, other) -> one.plan.compare(one.keys, other.keys);

    boolean isEqualInOrder(Keyed<?> other) {
        return ORDER.compare(this, other) == 0;
    }
}
