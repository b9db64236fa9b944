package io.reactiverouter.aggregate;

import static java.util.stream.Collectors.joining;

import java.util.List;

/** Pieces of SQL. */
final class Sql {

    private Sql() {}

    /** Returns a quoted identifier. */
    static String identifier(String name) {
        if (name.isEmpty() || name.indexOf(0) >= 0) {
            throw new IllegalArgumentException("a column name must not be empty or hold the character U+0000, was \""
                    + name.replace('\0', '?') + "\"");
        }
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    /** Returns the clause that groups by these columns of {@code q}, nothing if there are none. */
    static String groupBy(List<String> columns) {
        return columns.isEmpty()
                ? ""
                : columns.stream().map(column -> "q." + identifier(column)).collect(joining(", ", " group by ", ""));
    }

    /**
     * Returns a query in parentheses as a table of this name. A semicolon at its end is left out; the line ends before the
     * parenthesis, so that a comment in its last line does not swallow it.
     */
    static String table(String sql, String alias) {
        String query = sql.strip();
        while (query.endsWith(";")) {
            query = query.substring(0, query.length() - 1).stripTrailing();
        }
        return "(" + query + "\n) " + alias;
    }
}
