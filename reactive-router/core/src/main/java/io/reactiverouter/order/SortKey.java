package io.reactiverouter.order;

import java.util.Objects;

/**
 * One key of an order: a column of the result, a direction, where nulls go, and how text is compared. Immutable.
 *
 * @param column name of the result column exactly as the server gives it: unquoted names of SQL are in lower case there
 * @param direction smallest or greatest first
 * @param nulls where rows go that have no value in the column, whatever the direction
 * @param collation how text is compared
 */
public record SortKey(String column, Direction direction, Nulls nulls, Collation collation) {

    /** Which values come first. */
    public enum Direction {
        /** Smallest first. */
        ASC,
        /** Greatest first. */
        DESC
    }

    /** Where rows without a value go. */
    public enum Nulls {
        /** Before all others. */
        FIRST,
        /** After all others. */
        LAST
    }

    /** How text is compared. */
    public enum Collation {
        /** As the column says, which must be by code point: {@code "C"} or another collation of that order. */
        AS_DECLARED,
        /** By code point, as {@code collate "C"}, whatever the column says; the column must be text. */
        C,
        /** As {@link #C} if the column is text, and nothing for other types. */
        C_IF_TEXT
    }

    public SortKey {
        Objects.requireNonNull(direction, "direction");
        Objects.requireNonNull(nulls, "nulls");
        Objects.requireNonNull(collation, "collation");
        if (column.isEmpty() || column.indexOf(0) >= 0) {
            throw new IllegalArgumentException(
                    "the column of a sort key must not be empty or hold the character U+0000," + " was \""
                            + column.replace('\0', '?') + "\"");
        }
    }

    /** Returns the key that sorts smallest first and nulls last, PostgreSQL's default, text as the column says. */
    public static SortKey asc(String column) {
        return new SortKey(column, Direction.ASC, Nulls.LAST, Collation.AS_DECLARED);
    }

    /** Returns the key that sorts greatest first, nulls before all, as PostgreSQL's {@code desc}, text as the column says. */
    public static SortKey desc(String column) {
        return new SortKey(column, Direction.DESC, Nulls.FIRST, Collation.AS_DECLARED);
    }

    /** Returns this key with nulls before all values. */
    public SortKey nullsFirst() {
        return new SortKey(column, direction, Nulls.FIRST, collation);
    }

    /** Returns this key with nulls after all values. */
    public SortKey nullsLast() {
        return new SortKey(column, direction, Nulls.LAST, collation);
    }

    /** Returns this key with text compared by code point, as {@code collate "C"}. */
    public SortKey collateC() {
        return new SortKey(column, direction, nulls, Collation.C);
    }

    /** Returns the key as in an {@code order by}. */
    @Override
    public String toString() {
        return '"'
                + column.replace("\"", "\"\"")
                + '"'
                + (collation == Collation.C ? " collate \"C\"" : "")
                + (direction == Direction.ASC ? " asc" : " desc")
                + (nulls == Nulls.FIRST ? " nulls first" : " nulls last");
    }
}
