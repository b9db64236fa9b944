package io.reactiverouter.strategy;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import java.util.function.IntToLongFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A handful of keys that show whether a server computes the same hashes as this library. PostgreSQL keeps its hash functions
 * stable but does not promise to, and a big-endian machine or a database that is not in UTF-8 hashes differently: on such a
 * server a row filter or an audit would contradict the router.
 */
public final class GoldenKeys {

    private static final List<ShardKey> KEYS = List.of(
            ShardKey.of(0),
            ShardKey.of(42),
            ShardKey.of(-1),
            ShardKey.of(Long.MIN_VALUE),
            ShardKey.of(""),
            ShardKey.of("user-42"),
            ShardKey.of("Stra\u00dfe \u2713 \ud83d\ude80"),
            ShardKey.of(new UUID(0x0123456789abcdefL, 0xfedcba9876543210L)));

    /**
     * One row: 0 if the database is in UTF-8 and 1 if not, then the server's hash of each key. Works in databases of any
     * encoding.
     */
    public static final String QUERY = KEYS.stream()
            .map(key -> hash(key) + "(" + literal(key) + ", 0)")
            .collect(Collectors.joining(", ", "select (getdatabaseencoding() <> 'UTF8')::int::bigint, ", ""));

    private GoldenKeys() {}

    private static String literal(ShardKey key) {
        if (!(key instanceof ShardKey.OfText text)) {
            return Sql.literal(key);
        }
        // Characters that the database's encoding lacks would be an error, before there is an answer.
        String bytes = HexFormat.of().formatHex(text.value().getBytes(StandardCharsets.UTF_8));
        return "convert_from(case getdatabaseencoding() when 'UTF8' then decode('" + bytes
                + "', 'hex') else '' end, 'UTF8') collate \"C\"";
    }

    private static String hash(ShardKey key) {
        return switch (KeyType.of(key)) {
            case INTEGER -> "hashint8extended";
            case TEXT -> "hashtextextended";
            case UUID -> "uuid_hash_extended";
            case TIMESTAMP -> throw new IllegalStateException("timestamps are not hashed");
        };
    }

    /**
     * Returns what is wrong with a server's answer to {@link #QUERY}, null if nothing is.
     *
     * @param columns gives the columns of the row, from 0
     */
    public static @Nullable String mismatch(IntToLongFunction columns) {
        if (columns.applyAsLong(0) != 0) {
            return "its database is not in UTF-8";
        }
        for (int i = 0; i < KEYS.size(); i++) {
            long expected = HashSlots.token(KEYS.get(i));
            long found = columns.applyAsLong(i + 1);
            if (found != expected) {
                return "its hash of the key " + KEYS.get(i) + " is " + found + " and should be " + expected;
            }
        }
        return null;
    }
}
