package io.reactiverouter.strategy;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.StringJoiner;
import java.util.stream.Collectors;

/** Pieces of SQL. Everything that comes from outside is quoted here. */
final class Sql {

    /** More pieces than these are looked up by the server in an array, which takes it O(log n) instead of O(n). */
    private static final int PLAIN_INTERVALS = 4;

    private static final int FIRST_BC_YEAR = 0;

    private Sql() {}

    /** Returns a quoted identifier. */
    static String identifier(String name) {
        if (name.isEmpty() || name.indexOf(0) >= 0) {
            throw new IllegalArgumentException(
                    "an SQL identifier must not be empty or hold the character U+0000, was \"" + name.replace('\0', '?')
                            + "\"");
        }
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    /** Returns a text literal, whatever the server's standard_conforming_strings. */
    static String literal(String text) {
        String quoted = "'" + text.replace("'", "''") + "'";
        return text.indexOf('\\') < 0 ? quoted : "E" + quoted.replace("\\", "\\\\");
    }

    /** Returns a key as a literal of its own type. */
    static String literal(ShardKey key) {
        if (key instanceof ShardKey.OfLong number) {
            // In quotes: the smallest bigint is no number but the negation of one that is too large.
            return "'" + number.value() + "'::bigint";
        }
        if (key instanceof ShardKey.OfText text) {
            return literal(text.value()) + "::text";
        }
        if (key instanceof ShardKey.OfUuid uuid) {
            return "'" + uuid.value() + "'::uuid";
        }
        if (key instanceof ShardKey.OfTimestamp timestamp) {
            return "'" + timestamp(timestamp.value()) + "'::timestamptz";
        }
        throw new IllegalArgumentException("key " + key + " has no literal");
    }

    private static String timestamp(Instant value) {
        OffsetDateTime time = value.atOffset(ZoneOffset.UTC);
        // ISO has a year 0, PostgreSQL's calendar has 1 BC.
        boolean bc = time.getYear() <= FIRST_BC_YEAR;
        int year = bc ? 1 - time.getYear() : time.getYear();
        return String.format(
                Locale.ROOT,
                "%04d-%02d-%02d %02d:%02d:%02d.%06d+00%s",
                year,
                time.getMonthValue(),
                time.getDayOfMonth(),
                time.getHour(),
                time.getMinute(),
                time.getSecond(),
                time.getNano() / 1_000,
                bc ? " BC" : "");
    }

    /** Returns the column in the form in which it is compared: texts by their bytes. */
    static String comparable(KeyColumn column) {
        return column.type() == KeyType.TEXT ? byBytes(column.sql()) : column.sql();
    }

    /** The cast keeps lists of texts beside a varchar free of array casts, which row filters do not allow. */
    static String byBytes(String text) {
        return text + "::text collate \"C\"";
    }

    /** Returns the predicate that {@code column} is one of these keys, all of the column's type. */
    static String in(KeyColumn column, Collection<? extends ShardKey> keys) {
        return keys.stream().map(Sql::literal).collect(Collectors.joining(", ", comparable(column) + " in (", ")"));
    }

    /** Returns the predicate that {@code column} is one of these texts. */
    static String inTexts(String column, Collection<String> texts) {
        return texts.stream().map(Sql::literal).collect(Collectors.joining(", ", byBytes(column) + " in (", ")"));
    }

    /** A run of whole numbers, both ends included. */
    record Interval(long from, long to) {}

    /**
     * Returns the predicate that the number {@code expression} lies in one of these intervals, which are in order and do
     * not touch. They are evaluated as often as {@code expression} is short.
     */
    static String within(String expression, List<Interval> intervals) {
        if (intervals.isEmpty()) {
            return "false";
        }
        if (intervals.size() <= PLAIN_INTERVALS) {
            return intervals.stream()
                    .map(interval -> interval.from() == interval.to()
                            ? expression + " = " + number(interval.from())
                            : expression + " between " + number(interval.from()) + " and " + number(interval.to()))
                    .collect(Collectors.joining(" or ", "(", ")"));
        }
        StringJoiner bounds = new StringJoiner(",", "'{", "}'::bigint[]");
        for (Interval interval : intervals) {
            bounds.add(Long.toString(interval.from()));
            if (interval.to() != Long.MAX_VALUE) {
                bounds.add(Long.toString(interval.to() + 1));
            }
        }
        // An odd number of bounds at or below it: it is inside.
        return "width_bucket(" + expression + ", " + bounds + ") % 2 = 1";
    }

    private static String number(long value) {
        return value >= 0 ? Long.toString(value) : "'" + value + "'::bigint";
    }
}
