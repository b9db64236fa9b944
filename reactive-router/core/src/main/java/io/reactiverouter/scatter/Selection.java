package io.reactiverouter.scatter;

import io.reactiverouter.order.SortKey;
import java.util.List;

/**
 * Which rows of all shards are the answer, and in which order.
 *
 * @param order keys of the order; empty for the rows as they come
 * @param presorted whether the query itself sorts by these keys
 * @param distinct whether of rows that are equal in all keys only the first is delivered
 * @param sequential whether one shard is read after the other
 * @param offset rows to leave out at the beginning
 * @param limit the most rows to deliver
 */
public record Selection(
        List<SortKey> order, boolean presorted, boolean distinct, boolean sequential, long offset, long limit) {

    /** The limit of a selection without one. */
    public static final long UNLIMITED = Long.MAX_VALUE;

    /** All rows as they come. */
    public static final Selection ALL = new Selection(List.of(), false, false, false, 0, UNLIMITED);

    public Selection {
        order = List.copyOf(order);
        if (limit < 1) {
            throw new IllegalArgumentException("limit must be at least 1, was " + limit);
        }
        if (offset < 0) {
            throw new IllegalArgumentException("offset must be at least 0, was " + offset);
        }
    }

    public Selection withOrder(List<SortKey> keys, boolean fromQuery) {
        if (keys.isEmpty()) {
            throw new IllegalArgumentException("an order needs at least one key, has none");
        }
        return new Selection(keys, fromQuery, distinct, sequential, offset, limit);
    }

    public Selection withDistinct() {
        return new Selection(order, presorted, true, sequential, offset, limit);
    }

    public Selection inSequence() {
        return new Selection(order, presorted, distinct, true, offset, limit);
    }

    public Selection withOffset(long rows) {
        return new Selection(order, presorted, distinct, sequential, rows, limit);
    }

    public Selection withLimit(long rows) {
        return new Selection(order, presorted, distinct, sequential, offset, rows);
    }

    /**
     * Throws if it cannot be delivered page by page.
     *
     * @throws IllegalArgumentException if it has no order, or an offset, or more than one page
     */
    void requirePage() {
        if (order.isEmpty() || presorted || distinct || sequential || offset > 0) {
            throw new IllegalArgumentException(
                    "pages need an order by orderBy, without distinct and offset, was " + this);
        }
    }

    boolean isLimited() {
        return limit != UNLIMITED;
    }

    /** Says whether each shard delivers no more rows than these, because it is told so. */
    boolean isPortion(int rows) {
        return isLimited() && !presorted && shardLimit() <= rows;
    }

    /** Returns how many rows of one shard can be in the answer. */
    long shardLimit() {
        return limit > UNLIMITED - offset ? UNLIMITED : offset + limit;
    }

    /**
     * Returns this.
     *
     * @throws IllegalArgumentException if its parts do not go together
     */
    Selection requireSense() {
        if (order.isEmpty() && distinct) {
            throw new IllegalArgumentException("distinct rows need an order: set orderBy before distinct()");
        }
        if (sequential && !order.isEmpty()) {
            throw new IllegalArgumentException(
                    "rows come either shard by shard or in the order of " + order + "; leave out one of the two");
        }
        if (offset > 0 && order.isEmpty() && !sequential) {
            throw new IllegalArgumentException(
                    "an offset of " + offset + " rows means nothing without an order; set one");
        }
        return this;
    }
}
