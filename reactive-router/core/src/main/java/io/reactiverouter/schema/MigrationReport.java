package io.reactiverouter.schema;

import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Which database is at which version. {@link #toString()} is a table for people.
 *
 * @param databases the database beside the shards first, if there is one, then the shards in their order
 */
public record MigrationReport(List<DatabaseVersion> databases) {

    public MigrationReport {
        databases = List.copyOf(databases);
    }

    /** Says whether every database is as the scripts say. */
    public boolean isGood() {
        return databases.stream().allMatch(database -> database.state().isGood());
    }

    /** Returns the database of this name. */
    public Optional<DatabaseVersion> database(String name) {
        return databases.stream()
                .filter(database -> database.database().equals(name))
                .findFirst();
    }

    /** Returns how many databases are in each state, as in {@code 2 migrated, 1 failed}. */
    public String summary() {
        return databases.stream()
                .collect(Collectors.groupingBy(DatabaseVersion::state, TreeMap::new, Collectors.counting()))
                .entrySet()
                .stream()
                .map(state -> state.getValue() + " " + state.getKey())
                .collect(Collectors.joining(", "));
    }

    @Override
    public String toString() {
        int name = width(DatabaseVersion::database);
        int state = width(database -> database.state().toString());
        int versions = width(DatabaseVersion::versions);
        return databases.stream()
                .map(database -> ("%-" + name + "s  %-" + state + "s  %-" + versions + "s  %s")
                        .formatted(database.database(), database.state(), database.versions(), database.work())
                        .stripTrailing())
                .collect(Collectors.joining("\n"));
    }

    private int width(Function<DatabaseVersion, String> column) {
        return Math.max(
                1,
                databases.stream()
                        .mapToInt(database -> column.apply(database).length())
                        .max()
                        .orElse(1));
    }
}
