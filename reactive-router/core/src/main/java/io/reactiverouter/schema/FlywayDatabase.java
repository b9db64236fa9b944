package io.reactiverouter.schema;

import io.reactiverouter.connection.WrongDatabaseException;
import io.reactiverouter.schema.DatabaseVersion.State;
import io.reactiverouter.topology.Node;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.MigrationInfoService;
import org.flywaydb.core.api.MigrationVersion;
import org.flywaydb.core.api.callback.Callback;
import org.flywaydb.core.api.callback.Context;
import org.flywaydb.core.api.callback.Event;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.flywaydb.core.api.output.ValidateOutput;
import org.flywaydb.core.api.output.ValidateResult;
import org.flywaydb.database.postgresql.PostgreSQLConfigurationExtension;
import org.jspecify.annotations.Nullable;

/**
 * What Flyway does to one database. Every method blocks, and ends with an outcome in place of an error: the others go on, or
 * not, by what it says. A migration that has begun is not interrupted.
 *
 * <p>Flyway's lock belongs to its session and not to a transaction: {@code create index concurrently} waits for every
 * transaction that is older than itself, and would wait for the one that holds the lock.
 */
final class FlywayDatabase {

    private final Target target;
    private final SchemaSettings settings;
    private final PrimarySearch search;
    private final ClassLoader classes;

    FlywayDatabase(Target target, SchemaSettings settings, PrimarySearch search, ClassLoader classes) {
        this.target = target;
        this.settings = settings;
        this.search = search;
        this.classes = classes;
    }

    /**
     * Where the database stands.
     *
     * @param cause of the problem, null if there is none, or no error to show for it
     */
    record Outcome(DatabaseVersion version, @Nullable Throwable cause) {}

    /** An action of Flyway. */
    private interface Action {

        Outcome on(Node primary);
    }

    String name() {
        return target.name();
    }

    boolean isMain() {
        return target.isMain();
    }

    /** Looks where the database stands, and changes nothing. */
    Outcome look() {
        return onPrimary(primary -> new Outcome(look(reading(primary)), null));
    }

    /** Applies what the database lacks. */
    Outcome migrate(DatabaseVersion seen) {
        return onPrimary(primary -> migrate(primary, seen));
    }

    /** Takes failed scripts out of Flyway's table, and takes over the checksums of those that have changed. */
    Outcome repair() {
        return onPrimary(primary -> {
            flyway(writing(primary)).load().repair();
            return new Outcome(look(reading(primary)), null);
        });
    }

    private Outcome onPrimary(Action action) {
        try {
            return action.on(search.find(target.shard(), !target.isMain()));
        } catch (NoPrimaryAnswersException e) {
            return new Outcome(DatabaseVersion.unreachable(target.name(), String.valueOf(e.getMessage())), e);
        } catch (WrongDatabaseException e) {
            return failed(e, String.valueOf(e.getMessage()));
        } catch (RuntimeException e) {
            return failed(e, Failures.words(e));
        }
    }

    private Outcome failed(RuntimeException error, String problem) {
        return new Outcome(
                new DatabaseVersion(target.name(), State.FAILED, null, null, List.of(), List.of(), problem), error);
    }

    private Outcome migrate(Node primary, DatabaseVersion seen) {
        Progress progress = new Progress();
        FlywayException failure = null;
        try {
            flyway(writing(primary)).callbacks(progress).load().migrate();
        } catch (FlywayException e) {
            failure = e;
        }
        DatabaseVersion after;
        try {
            after = look(reading(primary));
        } catch (RuntimeException e) {
            if (failure == null) {
                throw e;
            }
            failure.addSuppressed(e);
            after = new DatabaseVersion(target.name(), State.FAILED, null, null, List.of(), List.of(), null);
        }
        State state = failure != null ? State.FAILED : progress.applied.isEmpty() ? after.state() : migrated(after);
        String problem = failure == null ? after.problem() : progress.where() + Failures.words(failure);
        DatabaseVersion version = new DatabaseVersion(
                target.name(), state, seen.before(), after.after(), progress.applied, after.pending(), problem);
        return new Outcome(version, failure);
    }

    private static State migrated(DatabaseVersion after) {
        return after.state() == State.UP_TO_DATE ? State.MIGRATED : after.state();
    }

    private DatabaseVersion look(DataSource database) {
        Flyway flyway = flyway(database)
                .ignoreMigrationPatterns("*:pending", "*:future")
                .load();
        MigrationInfoService info = flyway.info();
        MigrationInfo current = info.current();
        String version = current == null ? null : version(current.getVersion());
        List<String> pending =
                Arrays.stream(info.pending()).map(FlywayDatabase::name).toList();
        ValidateResult valid = flyway.validateWithResult();
        String problem = valid.validationSuccessful ? null : problem(valid);
        State state = problem != null ? State.DIFFERENT : pending.isEmpty() ? State.UP_TO_DATE : State.BEHIND;
        return new DatabaseVersion(target.name(), state, version, version, List.of(), pending, problem);
    }

    private static String problem(ValidateResult result) {
        Stream<String> scripts = result.invalidMigrations.stream().map(FlywayDatabase::problem);
        String problem = String.join("; ", scripts.toList());
        return problem.isEmpty() && result.errorDetails != null
                ? Failures.line(result.errorDetails.errorMessage)
                : problem;
    }

    private static String problem(ValidateOutput invalid) {
        return Failures.line(String.valueOf(invalid.errorDetails.errorMessage));
    }

    private static @Nullable String version(@Nullable MigrationVersion version) {
        return version == null ? null : version.getVersion();
    }

    /** Returns the version, or for one without the description. */
    private static String name(MigrationInfo migration) {
        String version = version(migration.getVersion());
        return version == null ? migration.getDescription() : version;
    }

    private DataSource reading(Node primary) {
        return source(primary, PrimarySearch.QUESTION_LIMIT, PrimarySearch.QUESTION_LIMIT);
    }

    private DataSource writing(Node primary) {
        return source(primary, settings.lockTimeout(), settings.statementTimeout());
    }

    private DataSource source(Node primary, Duration lockTimeout, Duration statementTimeout) {
        return new PrimaryDataSource(primary, search.options(primary), lockTimeout, statementTimeout);
    }

    private FluentConfiguration flyway(DataSource database) {
        FluentConfiguration configuration = Flyway.configure(classes)
                .dataSource(database)
                .locations(target.locations().toArray(String[]::new))
                .failOnMissingLocations(true)
                .validateMigrationNaming(true)
                .placeholders(settings.placeholders())
                .schemas(settings.schemas().toArray(String[]::new))
                .table(settings.table())
                .connectRetries(0)
                .lockRetryCount(Integer.parseInt(JdbcOptions.seconds(settings.turnTimeout())))
                .cleanDisabled(true);
        String baseline = settings.baseline();
        if (baseline != null) {
            configuration.baselineOnMigrate(true).baselineVersion(baseline);
        }
        configuration
                .getConfigurationExtension(PostgreSQLConfigurationExtension.class)
                .setTransactionalLock(false);
        return configuration;
    }

    /** Notes which scripts have been applied, and which one is at work. */
    private static final class Progress implements Callback {

        private final List<String> applied = new ArrayList<>();
        private @Nullable String current;

        @Override
        public boolean supports(Event event, Context context) {
            return event == Event.BEFORE_EACH_MIGRATE || event == Event.AFTER_EACH_MIGRATE;
        }

        @Override
        public boolean canHandleInTransaction(Event event, Context context) {
            return true;
        }

        @Override
        public void handle(Event event, Context context) {
            MigrationInfo migration = context.getMigrationInfo();
            if (event == Event.BEFORE_EACH_MIGRATE) {
                current = migration.getScript();
            } else {
                current = null;
                applied.add(name(migration));
            }
        }

        String where() {
            return current == null ? "" : current + ": ";
        }

        @Override
        public String getCallbackName() {
            return "reactive-router";
        }
    }
}
