package io.reactiverouter.order;

/** A query of the caller's inside of another one. */
public final class Subquery {

    private Subquery() {}

    /** Returns the query in parentheses, without the semicolon that it may end with. */
    public static String of(String sql) {
        // The line break ends a comment at its end.
        return "(" + withoutEnd(sql) + "\n)";
    }

    /** Returns the query without the semicolon that it may end with. */
    public static String withoutEnd(String sql) {
        String stripped = sql.stripTrailing();
        return stripped.endsWith(";") ? withoutEnd(stripped.substring(0, stripped.length() - 1)) : stripped;
    }
}
