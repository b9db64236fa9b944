package io.reactiverouter.strategy;

import org.jspecify.annotations.Nullable;

/**
 * A key column as SQL predicates name it. Names are those of the catalog, letter by letter: they are always quoted.
 *
 * @param name the column
 * @param type what it holds
 * @param region the column with the region of the key, for geographic placement
 * @param qualifier table, alias, {@code new} or {@code old} before the names
 */
public record KeyColumn(
        String name,
        KeyType type,
        @Nullable String region,
        @Nullable String qualifier) {

    public KeyColumn {
        Sql.identifier(name);
        if (region != null) {
            Sql.identifier(region);
        }
        if (qualifier != null) {
            Sql.identifier(qualifier);
        }
    }

    /**
     * Returns the column with this name and type.
     *
     * @throws IllegalArgumentException if the name is empty or holds the character U+0000
     */
    public static KeyColumn of(String name, KeyType type) {
        return new KeyColumn(name, type, null, null);
    }

    /** Returns a copy whose rows have their region in this column. */
    public KeyColumn withRegion(@Nullable String column) {
        return new KeyColumn(name, type, column, qualifier);
    }

    /** Returns a copy that is qualified, as a trigger's {@code new."user_id"}. */
    public KeyColumn qualified(String by) {
        return new KeyColumn(name, type, region, by);
    }

    /** Returns the quoted column, qualified if it is to be. */
    public String sql() {
        return qualify(name);
    }

    /** Returns the quoted column of the region. */
    String regionSql() {
        if (region == null) {
            throw new IllegalArgumentException("column " + name
                    + " has no column for the region, which geographic placement needs; name it with regionColumn");
        }
        return qualify(region);
    }

    private String qualify(String column) {
        return (qualifier == null ? "" : Sql.identifier(qualifier) + ".") + Sql.identifier(column);
    }
}
