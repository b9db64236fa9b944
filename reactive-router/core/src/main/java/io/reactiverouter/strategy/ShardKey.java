package io.reactiverouter.strategy;

import java.util.UUID;

/**
 * The value that decides placement: a 64-bit integer, a text or a UUID. Compared by type and value: {@code of(7)} is not
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

    /** Returns the key as a statement parameter: a {@link Long}, {@link String} or {@link UUID}. */
    Object parameter();

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
            for (int i = 0; i < value.length(); i++) {
                char c = value.charAt(i);
                if (c == 0) {
                    throw new UnroutableKeyException("sharding key holds the character U+0000 at index " + i
                            + ", which PostgreSQL cannot store");
                }
                if (Character.isHighSurrogate(c)
                        && i + 1 < value.length()
                        && Character.isLowSurrogate(value.charAt(i + 1))) {
                    i++;
                } else if (Character.isSurrogate(c)) {
                    throw new UnroutableKeyException("sharding key holds half of a surrogate pair at index " + i
                            + ", which has no UTF-8 form and PostgreSQL cannot store");
                }
            }
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
