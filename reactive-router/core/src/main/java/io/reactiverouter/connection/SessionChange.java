package io.reactiverouter.connection;

import java.util.Locale;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * What a statement can leave behind on its session when it has ended and its transaction too. Told from the text, on the side of
 * caution: a statement that only looks as if it did costs a round trip. A function of the user's own that changes the session
 * is not recognised, unless it is called with {@code call} or {@code do}.
 */
enum SessionChange {
    /** Nothing. */
    NONE,

    /** Something that {@link #RESET} undoes. */
    RESETTABLE,

    /** Something that cannot be undone without undoing what the driver has made too, as prepared statements. */
    LASTING;

    /**
     * All of {@code DISCARD ALL} but prepared statements and plans, which the driver goes on using. Settings that were given
     * when the connection was opened stay.
     */
    static final String RESET = "set session authorization default; reset all; close all; unlisten *;"
            + " select pg_advisory_unlock_all(); discard temp; discard sequences";

    /** Statements that leave nothing behind, unless they call a function or name something that does. */
    private static final Set<String> HARMLESS = Set.of(
            "select",
            "insert",
            "update",
            "delete",
            "with",
            "values",
            "table",
            "merge",
            "begin",
            "start",
            "commit",
            "end",
            "abort",
            "rollback",
            "savepoint",
            "release",
            "copy",
            "truncate",
            "lock",
            "show",
            "explain",
            "fetch",
            "notify",
            "analyze",
            "vacuum");

    private static final Set<String> NOT_RESETTABLE = Set.of("prepare", "deallocate", "discard", "load");

    /** What makes the statement one of two-phase commit. */
    private static final String TRANSACTION = "(?is)transaction\\b.*";

    /** After {@code set}: no reset brings the former seed back. */
    private static final String SEED = "(?is)\\s+(session\\s+|local\\s+)?seed\\b.*";

    /** A power of two. */
    private static final int PLACES = 256;

    /** In characters; longer texts are not kept. */
    private static final int LONGEST = 2_000;

    /** Of texts that have been looked through, which come again and again, each in the place of its hash. */
    private static final AtomicReferenceArray<@Nullable Known> KNOWN = new AtomicReferenceArray<>(PLACES);

    /** The shortest word that matters inside a statement. */
    private static final int SHORTEST = "temp".length();

    /** Returns what the statements of this text can leave behind. */
    static SessionChange of(String sql) {
        int place = sql.hashCode() & (PLACES - 1);
        Known known = KNOWN.get(place);
        if (known != null && known.sql.equals(sql)) {
            return known.change;
        }
        SessionChange found = find(sql);
        if (sql.length() <= LONGEST) {
            KNOWN.lazySet(place, new Known(sql, found));
        }
        return found;
    }

    /** What is in a text. */
    private record Known(String sql, SessionChange change) {}

    private static SessionChange find(String sql) {
        SessionChange found = NONE;
        boolean first = true;
        int length = sql.length();
        for (int i = 0; i < length; ) {
            char c = sql.charAt(i);
            if (isWord(c)) {
                int end = i + 1;
                while (end < length && (isWord(sql.charAt(end)) || sql.charAt(end) == '$')) {
                    end++;
                }
                if (end == i + 1 && (c == 'e' || c == 'E') && end < length && sql.charAt(end) == '\'') {
                    i = afterLiteral(sql, end, true);
                    continue;
                }
                SessionChange change = first ? ofFirst(sql, i, end) : ofWord(sql, i, end);
                if (change.compareTo(found) > 0) {
                    found = change;
                }
                first = false;
                i = end;
            } else if (c == ';') {
                first = true;
                i++;
            } else if (c == '"') {
                int end = afterName(sql, i);
                // It can be that of a function, and escapes can hide which.
                SessionChange change = isEscaped(sql, i) ? LASTING : ofWord(sql, i + 1, end - 1);
                if (change.compareTo(found) > 0) {
                    found = change;
                }
                i = end;
            } else {
                i = afterOther(sql, i, c);
            }
        }
        return found;
    }

    private static boolean isWord(char c) {
        return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c > 127;
    }

    /** Returns what comes after a literal or a comment, or after the character if none begins there. */
    private static int afterOther(String sql, int at, char c) {
        return switch (c) {
            case '\'' -> afterLiteral(sql, at, false);
            case '$' -> afterDollars(sql, at);
            case '-' -> sql.startsWith("--", at) ? afterLine(sql, at) : at + 1;
            case '/' -> sql.startsWith("/*", at) ? afterComment(sql, at) : at + 1;
            default -> at + 1;
        };
    }

    private static int afterName(String sql, int at) {
        int close = sql.indexOf('"', at + 1);
        // Two of them are one of its characters, and begin another name here.
        return close < 0 ? sql.length() : close + 1;
    }

    private static boolean isEscaped(String sql, int name) {
        return name >= 2 && sql.charAt(name - 1) == '&' && Character.toLowerCase(sql.charAt(name - 2)) == 'u';
    }

    private static int afterLiteral(String sql, int at, boolean escapes) {
        for (int i = at + 1; i < sql.length(); i++) {
            char c = sql.charAt(i);
            if (escapes && c == '\\') {
                i++;
            } else if (c == '\'') {
                int more = continued(sql, i + 1);
                if (more < 0) {
                    return i + 1;
                }
                i = more;
            }
        }
        return sql.length();
    }

    /**
     * Returns where a literal goes on that has just been closed, negative if it does not: at once, two quotes being one of its
     * characters, or on another line.
     */
    private static int continued(String sql, int from) {
        boolean line = false;
        for (int i = from; i < sql.length(); i++) {
            char c = sql.charAt(i);
            if (c == '\'' && (i == from || line)) {
                return i;
            }
            if (sql.startsWith("--", i)) {
                i = afterLine(sql, i);
                line = true;
            } else if (c == '\n' || c == '\r') {
                line = true;
            } else if (!Character.isWhitespace(c)) {
                return -1;
            }
        }
        return -1;
    }

    private static int afterDollars(String sql, int at) {
        int end = at + 1;
        while (end < sql.length() && isWord(sql.charAt(end))) {
            end++;
        }
        boolean parameter = end > at + 1 && Character.isDigit(sql.charAt(at + 1));
        if (parameter || end == sql.length() || sql.charAt(end) != '$') {
            return at + 1;
        }
        String tag = sql.substring(at, end + 1);
        int close = sql.indexOf(tag, end + 1);
        return close < 0 ? sql.length() : close + tag.length();
    }

    private static int afterLine(String sql, int at) {
        int end = at;
        while (end < sql.length() && sql.charAt(end) != '\n' && sql.charAt(end) != '\r') {
            end++;
        }
        return end;
    }

    /** Comments nest. */
    private static int afterComment(String sql, int at) {
        int depth = 0;
        for (int i = at; i < sql.length() - 1; i++) {
            if (sql.startsWith("/*", i)) {
                depth++;
                i++;
            } else if (sql.startsWith("*/", i)) {
                depth--;
                i++;
                if (depth == 0) {
                    return i + 1;
                }
            }
        }
        return sql.length();
    }

    private static SessionChange ofFirst(String sql, int from, int to) {
        String word = sql.substring(from, to).toLowerCase(Locale.ROOT);
        if (HARMLESS.contains(word)) {
            return NONE;
        }
        if (word.equals("prepare") && sql.substring(to).stripLeading().matches(TRANSACTION)) {
            return NONE;
        }
        if (word.equals("set") && sql.substring(to).matches(SEED)) {
            return LASTING;
        }
        return NOT_RESETTABLE.contains(word) ? LASTING : RESETTABLE;
    }

    private static SessionChange ofWord(String sql, int from, int to) {
        if (to - from < SHORTEST) {
            return NONE;
        }
        return switch (sql.charAt(from)) {
            case 't', 'T' -> resettable(is(sql, from, to, "temp") || is(sql, from, to, "temporary"));
            case 's', 'S' -> is(sql, from, to, "setseed") ? LASTING : resettable(is(sql, from, to, "set_config"));
            case 'p', 'P' ->
                resettable(begins(sql, from, "pg_advisory_lock")
                        || begins(sql, from, "pg_try_advisory_lock")
                        || begins(sql, from, "pg_temp")
                        || is(sql, from, to, "pg_settings"));
            // Its connections have names, and stay open.
            case 'd', 'D' -> begins(sql, from, "dblink_connect") ? LASTING : NONE;
            default -> NONE;
        };
    }

    private static SessionChange resettable(boolean changes) {
        return changes ? RESETTABLE : NONE;
    }

    private static boolean is(String sql, int from, int to, String word) {
        return to - from == word.length() && begins(sql, from, word);
    }

    private static boolean begins(String sql, int from, String word) {
        return sql.regionMatches(true, from, word, 0, word.length());
    }
}
