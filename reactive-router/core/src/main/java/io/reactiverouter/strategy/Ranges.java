package io.reactiverouter.strategy;

import io.reactiverouter.topology.ShardId;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * Ranges of keys, each on its shard, without gap or overlap: for time series and other data that is read in order. A range
 * starts with its lower end and stops before its upper end. Keys are integers, texts (in the order of their UTF-8 bytes),
 * UUIDs or timestamps, all of one type; weights do not count. Locating takes O(log n).
 *
 * <pre>{@code
 * Ranges.startingAt(ShardKey.of(0))
 *     .upTo(ShardKey.of(1_000_000), ShardId.of("s0"))
 *     .upTo(ShardKey.of(2_000_000), ShardId.of("s1"))
 *     .andAbove(ShardId.of("s2"))
 * }</pre>
 */
public final class Ranges implements ShardingStrategy {

    private final List<Range> ranges;
    private final List<ShardId> shards;

    private Ranges(List<Range> ranges) {
        this.ranges = ranges;
        this.shards = ranges.stream().map(Range::shard).distinct().toList();
    }

    /**
     * Some keys and their shard.
     *
     * @param from lowest key, null if there is none
     * @param to first key above the range, null if there is none
     */
    public record Range(@Nullable ShardKey from, @Nullable ShardKey to, ShardId shard) {

        /**
         * @throws IllegalArgumentException if the range is empty, or its ends are of different types or of one without order
         */
        public Range {
            if (from != null && to != null && KeyOrder.compare(from, to) >= 0) {
                throw new IllegalArgumentException("range [" + from + ", " + to + ") of shard " + shard
                        + " is empty; its first end must be below its second");
            }
            if (from instanceof ShardKey.OfRegion || to instanceof ShardKey.OfRegion) {
                throw new IllegalArgumentException("a range of shard " + shard + " ends at a key with a region");
            }
        }

        @Override
        public String toString() {
            return "[" + (from == null ? "all below" : from) + ", " + (to == null ? "all above" : to) + ") of " + shard;
        }
    }

    /**
     * Returns these ranges.
     *
     * @throws IllegalArgumentException if there is none or more than 4 096, or two that follow each other leave a gap or
     *     overlap; the message names them and the keys
     */
    public static Ranges of(List<Range> ranges) {
        Owners.requireCount("ranges", ranges);
        for (int i = 1; i < ranges.size(); i++) {
            Range left = ranges.get(i - 1);
            Range right = ranges.get(i);
            if (left.to() == null) {
                throw new IllegalArgumentException(
                        "range " + left + " is open above, and yet " + right + " follows it; they overlap");
            }
            if (right.from() == null) {
                throw new IllegalArgumentException(
                        "range " + right + " is open below, and yet it follows " + left + "; they overlap");
            }
            int compared = KeyOrder.compare(left.to(), right.from());
            if (compared > 0) {
                throw new IllegalArgumentException("ranges " + left + " and " + right + " overlap from " + right.from()
                        + " to " + left.to() + "; give them in order, each from the end of the one before");
            }
            if (compared < 0) {
                throw new IllegalArgumentException("ranges " + left + " and " + right + " leave a gap: keys from "
                        + left.to() + " to " + right.from() + " have no shard");
            }
        }
        return new Ranges(List.copyOf(ranges));
    }

    /** Starts with this lowest key. */
    public static Builder startingAt(ShardKey lowest) {
        return new Builder(lowest);
    }

    /** Starts with no lowest key. */
    public static Builder fromTheLowest() {
        return new Builder(null);
    }

    /** Adds ranges from below to above. */
    public static final class Builder {

        private final List<Range> ranges = new ArrayList<>();
        private @Nullable ShardKey from;

        private Builder(@Nullable ShardKey from) {
            this.from = from;
        }

        /** Puts the keys up to {@code to}, without it, on a shard. */
        public Builder upTo(ShardKey to, ShardId shard) {
            ranges.add(new Range(from, to, shard));
            from = to;
            return this;
        }

        /** Puts all other keys on a shard and returns the strategy. */
        public Ranges andAbove(ShardId shard) {
            ranges.add(new Range(from, null, shard));
            return of(ranges);
        }

        /** Returns the strategy, in which keys above the last range have no shard. */
        public Ranges closed() {
            return of(ranges);
        }
    }

    @Override
    public ShardId locate(ShardKey key) {
        return ranges.get(indexOf(UnroutableKeyException.requireNonNull(key))).shard();
    }

    private int indexOf(ShardKey key) {
        int low = 0;
        int high = ranges.size() - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            Range range = ranges.get(middle);
            if (range.from() != null && KeyOrder.compare(key, range.from()) < 0) {
                high = middle - 1;
            } else if (range.to() != null && KeyOrder.compare(key, range.to()) >= 0) {
                low = middle + 1;
            } else {
                requireType(key);
                return middle;
            }
        }
        throw new UnroutableKeyException("key " + key + " is outside of all ranges, which go from " + lowest() + " to "
                + highest() + "; append a range for it");
    }

    /** One range without ends has nothing that a key of a wrong type would have been compared with. */
    private void requireType(ShardKey key) {
        if (key instanceof ShardKey.OfRegion) {
            throw new UnroutableKeyException("ranges place keys without a region, was " + key);
        }
    }

    private Object lowest() {
        ShardKey from = ranges.get(0).from();
        return from == null ? "the lowest key" : from;
    }

    private Object highest() {
        ShardKey to = ranges.get(ranges.size() - 1).to();
        return to == null ? "the highest key" : to;
    }

    @Override
    public List<ShardId> shards() {
        return shards;
    }

    /** Returns the ranges in order. */
    public List<Range> ranges() {
        return ranges;
    }

    @Override
    public List<ShardId> between(ShardKey from, ShardKey to) {
        KeyOrder.requireOrdered(from, to);
        Set<ShardId> holding = new LinkedHashSet<>();
        for (Range range : ranges) {
            boolean ends = range.to() != null && KeyOrder.compare(range.to(), from) <= 0;
            boolean begins = range.from() != null && KeyOrder.compare(range.from(), to) > 0;
            if (!ends && !begins) {
                holding.add(range.shard());
            }
        }
        return List.copyOf(holding);
    }

    /**
     * Returns a copy in which the range around {@code at} is cut in two: keys below {@code at} stay, {@code at} and what is
     * above it moves to {@code shard}.
     *
     * @throws UnroutableKeyException if no range holds {@code at}
     * @throws IllegalArgumentException if {@code at} begins a range already
     */
    public Ranges split(ShardKey at, ShardId shard) {
        int index = indexOf(at);
        Range whole = ranges.get(index);
        if (at.equals(whole.from())) {
            throw new IllegalArgumentException(
                    "range " + whole + " begins at " + at + " already; nothing is to be split");
        }
        List<Range> changed = new ArrayList<>(ranges);
        changed.set(index, new Range(whole.from(), at, whole.shard()));
        changed.add(index + 1, new Range(at, whole.to(), shard));
        return of(changed);
    }

    /**
     * Returns a copy with one more range above the last, up to {@code to}, without it; no key moves.
     *
     * @param to null for all keys above
     * @throws IllegalArgumentException if the last range is open above
     */
    public Ranges append(@Nullable ShardKey to, ShardId shard) {
        Range last = ranges.get(ranges.size() - 1);
        if (last.to() == null) {
            throw new IllegalArgumentException(
                    "range " + last + " is open above, nothing can follow it; use split to cut it");
        }
        List<Range> more = new ArrayList<>(ranges);
        more.add(new Range(last.to(), to, shard));
        return of(more);
    }

    @Override
    public SqlPredicate rowsOf(ShardId shard, KeyColumn column) {
        Owners.indexOf(shards, shard);
        for (Range range : ranges) {
            ShardKey end = range.from() != null ? range.from() : range.to();
            if (end != null && column.type() != KeyType.of(end)) {
                return SqlPredicate.unavailable("these ranges place keys of type " + KeyType.of(end) + ", column "
                        + column.name() + " is of type " + column.type());
            }
        }
        StringBuilder sql = new StringBuilder();
        for (Range range : ranges) {
            if (range.shard().equals(shard)) {
                sql.append(sql.isEmpty() ? "(" : " or ").append(condition(range, column));
            }
        }
        return SqlPredicate.of(sql.append(')').toString());
    }

    private static String condition(Range range, KeyColumn column) {
        String value = Sql.comparable(column);
        StringJoiner conditions = new StringJoiner(" and ");
        if (range.from() != null) {
            conditions.add(value + " >= " + Sql.literal(range.from()));
        }
        if (range.to() != null) {
            conditions.add(value + " < " + Sql.literal(range.to()));
        }
        if (column.type() == KeyType.TIMESTAMP && (range.from() == null || range.to() == null)) {
            // Infinite times are no keys.
            conditions.add("isfinite(" + column.sql() + ")");
        }
        return conditions.length() == 0 ? column.sql() + " is not null" : conditions.toString();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Ranges same && same.ranges.equals(ranges);
    }

    @Override
    public int hashCode() {
        return ranges.hashCode();
    }

    @Override
    public String toString() {
        return "Ranges" + ranges;
    }
}
