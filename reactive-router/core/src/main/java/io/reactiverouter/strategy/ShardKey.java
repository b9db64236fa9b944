package io.reactiverouter.strategy;

import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.UUID;

/**
 * The value that decides placement: a 64-bit integer, a text, a UUID, a point in time, or one of them in a region. Compared by type and value: {@code of(7)} is not
 * {@code of("7")}, and the two can live on different shards, as they do in PostgreSQL's own hash functions.
 */
public sealed interface ShardKey {

    /** Returns the key for a {@code smallint}, {@code integer} or {@code bigint} column. */
    static ShardKey of(long value) {
        return new OfLong(value);
    }

    /**
     * Returns the key for a {@code text} or {@code varchar} column.
     *
     * @throws IllegalArgumentException if the text is null, or cannot be stored by PostgreSQL: it holds the
     *     character U+0000 or half of a surrogate pair
     */
    static ShardKey of(String value) {
        return new OfText(value);
    }

    /**
     * Returns the key for a {@code uuid} column.
     *
     * @throws IllegalArgumentException if the UUID is null
     */
    static ShardKey of(UUID value) {
        return new OfUuid(value);
    }

    /**
     * Returns the key for a {@code timestamptz} column, which strategies with ranges place.
     *
     * @throws IllegalArgumentException if the time is null, finer than a microsecond, or outside of PostgreSQL's calendar
     */
    static ShardKey of(Instant value) {
        return new OfTimestamp(value);
    }

    /**
     * Returns a key with its region, which geographic placement looks at first.
     *
     * @throws IllegalArgumentException if one of the two is null, or the key has a region already
     */
    static ShardKey inRegion(String region, ShardKey id) {
        return new OfRegion(region, id);
    }

    /**
     * Returns the key as a statement parameter: a {@link Long}, {@link String}, {@link UUID} or {@link Instant}; without its
     * region.
     */
    Object parameter();

    /** A point in time. */
    record OfTimestamp(Instant value) implements ShardKey {

        private static final Instant MIN = LocalDateTime.of(-4712, 1, 1, 0, 0).toInstant(ZoneOffset.UTC);
        private static final Instant END = LocalDateTime.of(294277, 1, 1, 0, 0).toInstant(ZoneOffset.UTC);

        public OfTimestamp {
            UnroutableKeyException.requireNonNull(value);
            if (value.isBefore(MIN) || !value.isBefore(END)) {
                throw new UnroutableKeyException(
                        "sharding key " + value + " is outside of PostgreSQL's calendar, 4713 BC to 294276 AD");
            }
            if (!value.truncatedTo(ChronoUnit.MICROS).equals(value)) {
                throw new UnroutableKeyException(
                        "sharding key " + value + " is finer than a microsecond, which PostgreSQL"
                                + " cannot store; use truncatedTo(ChronoUnit.MICROS)");
            }
        }

        @Override
        public Instant parameter() {
            return value;
        }

        @Override
        public String toString() {
            return value.toString();
        }
    }

    /** A key in a region. */
    record OfRegion(String region, ShardKey id) implements ShardKey {

        public OfRegion {
            if (region == null) {
                throw new UnroutableKeyException("the region of sharding key " + id + " must not be null");
            }
            requireStorable("region", region);
            UnroutableKeyException.requireNonNull(id);
            if (id instanceof OfRegion) {
                throw new UnroutableKeyException("sharding key " + id + " has a region already");
            }
        }

        @Override
        public Object parameter() {
            return id.parameter();
        }

        @Override
        public String toString() {
            return region + "/" + id;
        }
    }

    /**
     * Does nothing if PostgreSQL can store the text.
     *
     * @throws UnroutableKeyException if it holds the character U+0000 or half of a surrogate pair
     */
    private static void requireStorable(String what, String value) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == 0) {
                throw new UnroutableKeyException(
                        what + " holds the character U+0000 at index " + i + ", which PostgreSQL cannot store");
            }
            if (Character.isHighSurrogate(c)
                    && i + 1 < value.length()
                    && Character.isLowSurrogate(value.charAt(i + 1))) {
                i++;
            } else if (Character.isSurrogate(c)) {
                throw new UnroutableKeyException(what + " holds half of a surrogate pair at index " + i
                        + ", which has no UTF-8 form and PostgreSQL cannot store");
            }
        }
    }

    /** An integer key. */
    record OfLong(long value) implements ShardKey {

        @Override
        public Long parameter() {
            return value;
        }

        @Override
        public String toString() {
            return Long.toString(value);
        }
    }

    /** A text key. */
    record OfText(String value) implements ShardKey {

        public OfText {
            UnroutableKeyException.requireNonNull(value);
            requireStorable("sharding key", value);
        }

        @Override
        public String parameter() {
            return value;
        }

        @Override
        public String toString() {
            return '"' + value + '"';
        }
    }

    /** A UUID key. */
    record OfUuid(UUID value) implements ShardKey {

        public OfUuid {
            UnroutableKeyException.requireNonNull(value);
        }

        @Override
        public UUID parameter() {
            return value;
        }

        @Override
        public String toString() {
            return value.toString();
        }
    }
}
