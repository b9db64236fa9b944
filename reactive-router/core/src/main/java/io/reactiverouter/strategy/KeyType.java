package io.reactiverouter.strategy;

/** The kinds of columns that can hold a sharding key. */
public enum KeyType {
    /** {@code smallint}, {@code integer} or {@code bigint}. */
    INTEGER,
    /** {@code text} or {@code varchar} in a UTF-8 database; compared and hashed by its bytes, whatever its collation. */
    TEXT,
    /** {@code uuid}. */
    UUID,
    /** {@code timestamptz}. */
    TIMESTAMP;

    /** Returns the type of the column that can hold this key; of its id if it carries a region. */
    public static KeyType of(ShardKey key) {
        if (key instanceof ShardKey.OfRegion located) {
            return of(located.id());
        }
        return key instanceof ShardKey.OfLong
                ? INTEGER
                : key instanceof ShardKey.OfText ? TEXT : key instanceof ShardKey.OfUuid ? UUID : TIMESTAMP;
    }
}
