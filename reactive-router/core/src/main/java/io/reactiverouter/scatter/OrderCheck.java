package io.reactiverouter.scatter;

import io.reactiverouter.order.SortPlan;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Sees to it that every shard of one call sorts by the same rules, and delivers in that order. */
final class OrderCheck {

    private final AtomicReference<@Nullable SortPlan> first = new AtomicReference<>();

    /** Returns the check of one shard's rows, for one subscription. */
    <T> OfShard<T> ofShard() {
        return new OfShard<>();
    }

    final class OfShard<T> {

        private @Nullable Keyed<T> last;

        /** Returns the row before, null if there was none. */
        @Nullable Keyed<T> last() {
            return last;
        }

        /**
         * Returns the row.
         *
         * @throws OrderViolationException if it must not come now
         */
        Keyed<T> next(Keyed<T> row) {
            Keyed<T> before = last;
            if (before == null) {
                requireSameRules(row);
            } else if (Keyed.ORDER.compare(before, row) > 0) {
                throw new OrderViolationException(
                        row.shard(),
                        "delivered a row out of order; the query must sort by",
                        row.plan().keys());
            }
            last = row;
            return row;
        }

        private void requireSameRules(Keyed<T> row) {
            SortPlan mine = row.plan();
            if (!first.compareAndSet(null, mine) && !mine.equals(first.get())) {
                throw new OrderViolationException(
                        row.shard(),
                        "sorts by other rules than another shard, which has " + first.get() + " where this one has "
                                + mine + "; columns, collations and the labels of enums must be the same for",
                        mine.keys());
            }
        }
    }
}
