package io.reactiverouter.schema;

import io.reactiverouter.connection.Limits;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Where the scripts of the shards are and how they run.
 *
 * @param locations where Flyway looks for the scripts of the shards; {@code classpath:db/shards} by default
 * @param concurrency shards that are worked on at the same time, after the canary; 4 by default
 * @param turnTimeout how long a database is waited for while somebody else migrates it, to the second; 10 min by default
 * @param lockTimeout how long a statement of a script waits for a lock ({@code lock_timeout}), because all that comes after
 *     it waits too; zero is no limit, 30 s by default. A script can set its own
 * @param statementTimeout after which the server ends a statement of a script ({@code statement_timeout}), and, ten seconds
 *     later, a server that has gone silent is given up; zero is no limit, 1 h by default
 * @param placeholders what stands in scripts for {@code ${name}}; none by default
 * @param schemas schemas that Flyway cares for, the first of them with its table; the login's own by default
 * @param table name of Flyway's table; {@code flyway_schema_history} by default
 * @param baseline version that a database which has tables but no table of Flyway's is taken to have; by default, null, such a
 *     database is an error
 * @param ignored schemas, and relations as in {@code schema.name}, that the comparison of the shards leaves out; none by default
 */
public record SchemaSettings(
        List<String> locations,
        int concurrency,
        Duration turnTimeout,
        Duration lockTimeout,
        Duration statementTimeout,
        Map<String, String> placeholders,
        List<String> schemas,
        String table,
        @Nullable String baseline,
        List<String> ignored) {

    /** The documented defaults. */
    public static final SchemaSettings DEFAULTS = new SchemaSettings(
            List.of("classpath:db/shards"),
            4,
            Duration.ofMinutes(10),
            Duration.ofSeconds(30),
            Duration.ofHours(1),
            Map.of(),
            List.of(),
            "flyway_schema_history",
            null,
            List.of());

    public SchemaSettings {
        locations = List.copyOf(locations);
        if (locations.isEmpty()) {
            throw new IllegalArgumentException("locations must name at least one place, as in classpath:db/shards");
        }
        Limits.atLeast("concurrency", 1, concurrency);
        Limits.positive("turnTimeout", turnTimeout);
        Limits.notNegative("lockTimeout", lockTimeout);
        Limits.notNegative("statementTimeout", statementTimeout);
        placeholders = Map.copyOf(placeholders);
        schemas = List.copyOf(schemas);
        if (table.isBlank()) {
            throw new IllegalArgumentException("table must not be blank");
        }
        ignored = List.copyOf(ignored);
    }

    public SchemaSettings withLocations(List<String> places) {
        return with(draft -> draft.locations = places);
    }

    public SchemaSettings withConcurrency(int shards) {
        return with(draft -> draft.concurrency = shards);
    }

    public SchemaSettings withTurnTimeout(Duration timeout) {
        return with(draft -> draft.turnTimeout = timeout);
    }

    public SchemaSettings withLockTimeout(Duration timeout) {
        return with(draft -> draft.lockTimeout = timeout);
    }

    public SchemaSettings withStatementTimeout(Duration timeout) {
        return with(draft -> draft.statementTimeout = timeout);
    }

    public SchemaSettings withPlaceholders(Map<String, String> values) {
        return with(draft -> draft.placeholders = values);
    }

    public SchemaSettings withSchemas(List<String> names) {
        return with(draft -> draft.schemas = names);
    }

    public SchemaSettings withTable(String name) {
        return with(draft -> draft.table = name);
    }

    public SchemaSettings withBaseline(@Nullable String version) {
        return with(draft -> draft.baseline = version);
    }

    public SchemaSettings withIgnored(List<String> names) {
        return with(draft -> draft.ignored = names);
    }

    private SchemaSettings with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.settings();
    }

    /** Leaves out the values of placeholders, which may be secrets. */
    @Override
    public String toString() {
        return "SchemaSettings[locations=" + locations + ", concurrency=" + concurrency + ", turnTimeout="
                + turnTimeout + ", lockTimeout=" + lockTimeout + ", statementTimeout=" + statementTimeout
                + ", placeholders=" + placeholders.keySet() + ", schemas=" + schemas + ", table=" + table
                + ", baseline=" + baseline + ", ignored=" + ignored + "]";
    }

    /** The same components, of which one can be changed. */
    private static final class Draft {

        private List<String> locations;
        private int concurrency;
        private Duration turnTimeout;
        private Duration lockTimeout;
        private Duration statementTimeout;
        private Map<String, String> placeholders;
        private List<String> schemas;
        private String table;
        private @Nullable String baseline;
        private List<String> ignored;

        Draft(SchemaSettings settings) {
            locations = settings.locations;
            concurrency = settings.concurrency;
            turnTimeout = settings.turnTimeout;
            lockTimeout = settings.lockTimeout;
            statementTimeout = settings.statementTimeout;
            placeholders = settings.placeholders;
            schemas = settings.schemas;
            table = settings.table;
            baseline = settings.baseline;
            ignored = settings.ignored;
        }

        SchemaSettings settings() {
            return new SchemaSettings(
                    locations,
                    concurrency,
                    turnTimeout,
                    lockTimeout,
                    statementTimeout,
                    placeholders,
                    schemas,
                    table,
                    baseline,
                    ignored);
        }
    }
}
