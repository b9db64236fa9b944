package io.reactiverouter.order;

import java.util.Arrays;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A group of PostgreSQL's types that sort alike: a value of one type of the group compares with a value of another on the
 * server, as {@code integer} does with {@code bigint}. Shards may therefore differ within a group.
 */
enum KeyKind {
    INTEGER("int8", "smallint, integer, bigint"),
    OID("oid", "oid"),
    NUMERIC("numeric", "numeric"),
    FLOATING("float8", "real, double precision"),
    BOOLEAN("bool", "boolean"),
    TEXT("text", "text, varchar, name"),
    BLANK_PADDED("bpchar", "char(n)"),
    UUID("uuid", "uuid"),
    BYTES("bytea", "bytea"),
    DATE("date", "date"),
    TIME("time", "time"),
    TIMESTAMP("timestamp", "timestamp"),
    TIMESTAMPTZ("timestamptz", "timestamptz"),
    INTERVAL("interval", "interval"),
    /** All types that are not built in; a {@link SortPlan} replaces each label by its rank. */
    ENUM("enum", "enum types");

    static final int REAL_OID = 700;
    static final int SMALLINT_OID = 21;
    static final int INTEGER_OID = 23;
    static final int BIGINT_OID = 20;

    private final String typeName;
    private final String types;

    KeyKind(String typeName, String types) {
        this.typeName = typeName;
        this.types = types;
    }

    /** Returns the kind of a built-in type, null for others. The type is a base type: the server sends no domains. */
    static @Nullable KeyKind ofOid(int oid) {
        return switch (oid) {
            case SMALLINT_OID, INTEGER_OID, BIGINT_OID -> INTEGER;
            case 26 -> OID;
            case 1700 -> NUMERIC;
            case REAL_OID, 701 -> FLOATING;
            case 16 -> BOOLEAN;
            case 19, 25, 1043 -> TEXT;
            case 1042 -> BLANK_PADDED;
            case 2950 -> UUID;
            case 17 -> BYTES;
            case 1082 -> DATE;
            case 1083 -> TIME;
            case 1114 -> TIMESTAMP;
            case 1184 -> TIMESTAMPTZ;
            case 1186 -> INTERVAL;
            default -> null;
        };
    }

    /** Returns the type of PostgreSQL that takes the values of all types of this kind without loss. */
    String typeName() {
        return typeName;
    }

    boolean isText() {
        return this == TEXT || this == BLANK_PADDED;
    }

    /** Returns what to do if a value of this kind cannot be read, beginning with a semicolon, or nothing. */
    String remedy() {
        return switch (this) {
            case DATE, TIME, TIMESTAMP, TIMESTAMPTZ ->
                "; the session must have datestyle ISO, so take out what sets another one";
            case INTERVAL ->
                "; the session must have intervalstyle postgres, PostgreSQL's default, so take out what sets another one";
            default -> "";
        };
    }

    /** Returns all types that can be sorted, for messages. */
    static String supported() {
        return Arrays.stream(values()).map(kind -> kind.types).collect(Collectors.joining(", "))
                + ", and domains over these";
    }
}
