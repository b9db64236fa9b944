package io.reactiverouter.strategy;

import io.reactiverouter.topology.ReadPreference;
import io.reactiverouter.topology.Shard;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Tables that share one sharding key and one placement. Immutable: each method that changes something returns a new
 * keyspace. Names of columns and tables are plain SQL identifiers: letters, digits and {@code _}, at most 63; that of the keyspace begins with a letter and may hold {@code -} too; a
 * table may carry its schema. They are the names of the catalog, upper and lower case apart: the library always quotes them.
 *
 * <pre>{@code
 * Keyspace.named("trading").key("user_id").tables("orders", "trades").strategy(ShardingStrategy.hashSlots())
 * }</pre>
 */
public final class Keyspace {

    private static final Pattern IDENTIFIER = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,62}");
    private static final Pattern NAME = Pattern.compile("[A-Za-z][A-Za-z0-9_-]{0,62}");

    private final String name;
    private final String keyColumn;
    private final @Nullable String regionColumn;
    private final List<String> tables;
    private final StrategyFactory strategy;
    private final @Nullable ReadPreference reading;

    private Keyspace(
            String name,
            String keyColumn,
            @Nullable String regionColumn,
            List<String> tables,
            StrategyFactory strategy,
            @Nullable ReadPreference reading) {
        this.name = name;
        this.keyColumn = keyColumn;
        this.regionColumn = regionColumn;
        this.tables = tables;
        this.strategy = strategy;
        this.reading = reading;
    }

    /**
     * Starts a keyspace with this name; its key column comes next.
     *
     * @throws IllegalArgumentException if the name has other characters than letters, digits, {@code -} and {@code _}
     */
    public static Named named(String name) {
        return new Named(require(NAME, "keyspace name", name));
    }

    /** A keyspace that still lacks its key column. */
    public static final class Named {

        private final String name;

        private Named(String name) {
            this.name = name;
        }

        /**
         * Returns the keyspace sharded by this column, with no tables and hash slots.
         *
         * @throws IllegalArgumentException if it is not a plain SQL identifier
         */
        public Keyspace key(String column) {
            return new Keyspace(
                    name,
                    require(IDENTIFIER, "key column of keyspace " + name, column),
                    null,
                    List.of(),
                    ShardingStrategy.hashSlots(),
                    null);
        }
    }

    /**
     * Sets the tables: each has the key column, and the rows of one key lie on one shard in all of them.
     *
     * @throws IllegalArgumentException if a name is not a plain SQL identifier or comes twice
     */
    public Keyspace tables(String... names) {
        Set<String> distinct = new LinkedHashSet<>();
        for (String table : names) {
            for (String part : table.split("\\.", 2)) {
                require(IDENTIFIER, "table of keyspace " + name, part);
            }
            if (!distinct.add(table)) {
                throw new IllegalArgumentException("keyspace " + name + " names the table " + table + " twice");
            }
        }
        return new Keyspace(name, keyColumn, regionColumn, List.copyOf(distinct), strategy, reading);
    }

    /**
     * Sets the column with the region of each row, which geographic placement needs for its SQL form.
     *
     * @throws IllegalArgumentException if it is not a plain SQL identifier
     */
    public Keyspace regionColumn(String column) {
        return new Keyspace(
                name,
                keyColumn,
                require(IDENTIFIER, "region column of keyspace " + name, column),
                tables,
                strategy,
                reading);
    }

    /** Sets the strategy, to be made for the shards of the cluster; hash slots unless set. */
    public Keyspace strategy(StrategyFactory newStrategy) {
        return new Keyspace(name, keyColumn, regionColumn, tables, newStrategy, reading);
    }

    /**
     * Sets where queries read from unless the router or the call says otherwise. All queries of the keyspace must then only read:
     * a row that is written by {@code insert ... returning} needs {@code update}, {@code inTransaction} or
     * {@code withConnection}, which always go to the primary. Unless set, queries go to the primary and may write.
     */
    public Keyspace reading(ReadPreference preference) {
        return new Keyspace(name, keyColumn, regionColumn, tables, strategy, preference);
    }

    /** Sets a complete strategy, over shards that the cluster must have. */
    public Keyspace strategy(ShardingStrategy complete) {
        return strategy((List<Shard> shards) -> complete);
    }

    public String name() {
        return name;
    }

    public String keyColumn() {
        return keyColumn;
    }

    /** Returns the column with the region of each row, null if there is none. */
    public @Nullable String regionColumn() {
        return regionColumn;
    }

    /** Returns the tables in the order in which they were named. */
    public List<String> tables() {
        return tables;
    }

    /** Returns a name of a table, with its schema if it has one, quoted for SQL. */
    public String quoted(String table) {
        return Arrays.stream(table.split("\\.", 2)).map(Sql::identifier).collect(Collectors.joining("."));
    }

    /** Returns where queries read from unless they say otherwise, null if that was not set. */
    public @Nullable ReadPreference reading() {
        return reading;
    }

    public StrategyFactory strategy() {
        return strategy;
    }

    private static String require(Pattern pattern, String what, String value) {
        if (!pattern.matcher(value).matches()) {
            throw new IllegalArgumentException(what
                    + " must be 1 to 63 letters, digits or '_' and not start with a digit" + ", was \"" + value + "\"");
        }
        return value;
    }

    @Override
    public String toString() {
        return "Keyspace[" + name + ", key=" + keyColumn + ", tables=" + tables + "]";
    }
}
