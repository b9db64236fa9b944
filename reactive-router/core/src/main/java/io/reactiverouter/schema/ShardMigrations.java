package io.reactiverouter.schema;

import io.reactiverouter.connection.ConnectionSettings;
import io.reactiverouter.schema.DatabaseVersion.State;
import io.reactiverouter.schema.FlywayDatabase.Outcome;
import io.reactiverouter.topology.NodeAddress;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.Secret;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Keeps the schema of all shards, and of a database beside them, at the version of its scripts. Flyway applies the scripts, on
 * connections of the JDBC driver to the node of each shard that is primary at that moment; the application brings
 * {@code flyway-core}, {@code flyway-database-postgresql} and {@code postgresql}.
 *
 * <pre>{@code
 * ShardMigrations.builder(cluster.shards()).build().migrate()
 * }</pre>
 *
 * <p>Nothing happens before the subscription. All work is on threads of its own, which may block; each wait has a limit, see
 * {@link SchemaSettings}. After a cancel no further database is begun; scripts that run come to their end, and nobody hears of
 * it. Any number of instances may run at the same time, in one JVM or several: each database is migrated by one of them, and
 * the others wait for their turn. Immutable and thread-safe; owns nothing that must be closed.
 */
public final class ShardMigrations {

    private final List<Target> targets;
    private final ShardId canary;
    private final SchemaSettings settings;
    private final PrimarySearch search;
    private final ClassLoader classes;

    private ShardMigrations(Builder builder, List<Target> targets, ShardId canary, PrimarySearch search) {
        this.targets = targets;
        this.canary = canary;
        this.settings = builder.settings;
        this.search = search;
        this.classes = builder.classes;
    }

    /**
     * Starts to describe the migrations of these shards.
     *
     * @param shards those of {@code ShardCluster.shards()}, for instance
     * @throws IllegalArgumentException if there is none, or a name comes twice
     */
    public static Builder builder(List<Shard> shards) {
        return new Builder(Shard.requireDistinct(shards));
    }

    /**
     * Applies the scripts that are missing: first to the database beside the shards, then to the canary, then to the other
     * shards, several at a time. Every database is looked at before: if one cannot be reached, or is not as its scripts say,
     * nothing is changed. When a script fails no further database is begun; those that are at work finish. To run it again is to
     * go on where it stopped.
     *
     * <p>Fails with {@link MigrationFailedException}.
     */
    public Mono<MigrationReport> migrate() {
        return with(MigrationRun::migrate).map(done -> require(done, State::isGood, MigrationFailedException::new));
    }

    /**
     * Looks whether every database has exactly the scripts, unchanged. Changes nothing. A database that has later scripts too,
     * as during a roll-out, is taken for good.
     *
     * <p>Fails with {@link SchemaMismatchException}, which names the databases and versions that differ.
     */
    public Mono<MigrationReport> validate() {
        return look().map(seen -> require(seen, State::isGood, SchemaMismatchException::new));
    }

    /** Says where every database stands, whatever it is: one that cannot be reached is in the report. Changes nothing. */
    public Mono<MigrationReport> info() {
        return look().map(ShardMigrations::report);
    }

    /**
     * Repairs Flyway's table in every database: takes out scripts that have failed half-way, and takes over the checksums of
     * scripts that have changed since. What a failed script has left behind must be gone before.
     *
     * <p>Fails with {@link MigrationFailedException} if a database could not be repaired; the others are all the same.
     */
    public Mono<MigrationReport> repair() {
        return with(run -> run.each(FlywayDatabase::repair))
                .map(done -> require(
                        done,
                        state -> state != State.FAILED && state != State.UNREACHABLE,
                        MigrationFailedException::new));
    }

    /**
     * Compares what is really in the databases of the shards, whatever Flyway's table says: tables, columns, indexes,
     * constraints, views, sequences, triggers, functions and types of all schemas but PostgreSQL's own,
     * {@code reactive_router} and those that the settings leave out. Rows are not compared, nor the order of columns, nor the
     * database beside the shards. Changes nothing.
     *
     * <p>Fails with {@link SchemaUnreadableException} if a shard cannot be read.
     */
    public Mono<SchemaDrift> drift() {
        StructureReader reader = new StructureReader(search, settings);
        return Mono.using(
                this::workers,
                workers -> Flux.fromIterable(targets)
                        .filter(target -> !target.isMain())
                        .flatMapSequential(
                                target -> workers.call(target.name(), () -> reader.read(target)),
                                settings.concurrency())
                        .collectList()
                        .map(StructureReader::compared),
                Workers::close);
    }

    private Mono<List<Outcome>> look() {
        return with(run -> run.each(FlywayDatabase::look));
    }

    private Mono<List<Outcome>> with(Function<MigrationRun, Mono<List<Outcome>>> work) {
        return Mono.using(
                this::workers,
                workers -> work.apply(new MigrationRun(
                        targets.stream()
                                .map(target -> new FlywayDatabase(target, settings, search, classes))
                                .toList(),
                        canary.value(),
                        settings.concurrency(),
                        workers)),
                Workers::close);
    }

    private Workers workers() {
        return new Workers(settings.concurrency());
    }

    private static MigrationReport report(List<Outcome> outcomes) {
        return new MigrationReport(outcomes.stream().map(Outcome::version).toList());
    }

    private static MigrationReport require(
            List<Outcome> outcomes,
            Predicate<State> good,
            BiFunction<MigrationReport, List<Throwable>, SchemaException> otherwise) {
        MigrationReport report = report(outcomes);
        if (outcomes.stream().allMatch(outcome -> good.test(outcome.version().state()))) {
            return report;
        }
        List<Throwable> causes = new ArrayList<>();
        for (Outcome outcome : outcomes) {
            if (outcome.cause() != null) {
                causes.add(outcome.cause());
            }
        }
        throw otherwise.apply(report, causes);
    }

    @Override
    public String toString() {
        return "ShardMigrations" + targets.stream().map(Target::name).toList();
    }

    /** Describes migrations. Not thread-safe. */
    public static final class Builder {

        private static final String MAIN = "main";

        private final List<Shard> shards;
        private Function<? super NodeId, ConnectionSettings> connections = node -> ConnectionSettings.DEFAULTS;
        private SchemaSettings settings = SchemaSettings.DEFAULTS;
        private @Nullable ShardId canary;
        private @Nullable String cluster;
        private @Nullable String username;
        private @Nullable Secret password;
        private @Nullable Target main;
        private ClassLoader classes = ShardMigrations.class.getClassLoader();

        private Builder(List<Shard> shards) {
            this.shards = shards;
            ClassLoader ofThread = Thread.currentThread().getContextClassLoader();
            if (ofThread != null) {
                classes = ofThread;
            }
        }

        /** Sets where the scripts are and how they run; {@link SchemaSettings#DEFAULTS} unless set. */
        public Builder settings(SchemaSettings newSettings) {
            this.settings = newSettings;
            return this;
        }

        /** Sets how connections are opened; {@link ConnectionSettings#DEFAULTS} unless set. Its statement timeout is not used. */
        public Builder connection(ConnectionSettings newSettings) {
            Objects.requireNonNull(newSettings, "connection settings must not be null");
            this.connections = node -> newSettings;
            return this;
        }

        /** Sets how connections to each node are opened. */
        public Builder connection(Function<? super NodeId, ConnectionSettings> ofNode) {
            this.connections = ofNode;
            return this;
        }

        /** Sets the shard that is migrated before the others, alone; the first one unless set. */
        public Builder canary(ShardId shard) {
            this.canary = shard;
            return this;
        }

        /**
         * Names the cluster: a database that says, in the table {@code reactive_router.identity}, that it is of another one is
         * refused. One that says that it is another shard is refused anyway.
         */
        public Builder name(String clusterName) {
            this.cluster = clusterName;
            return this;
        }

        /**
         * Sets the login on all nodes of all shards, in place of theirs: that of the owner of the schema, for instance.
         *
         * @param ownersPassword asked for each connection; null for servers that ask for none
         */
        public Builder credentials(String owner, @Nullable Secret ownersPassword) {
            this.username = owner;
            this.password = ownersPassword;
            return this;
        }

        /** Adds the database beside the shards, {@code main} in reports, with scripts of its own; none unless set. */
        public Builder main(NodeAddress address, List<String> locations) {
            this.main = new Target(Shard.named(MAIN).primary(address), true, List.copyOf(locations));
            return this;
        }

        /**
         * Returns the migrations. Does no I/O.
         *
         * @throws IllegalArgumentException if the canary is no shard, a shard is called {@code main} beside a main database, or a
         *     setting of a node cannot be said in JDBC
         */
        public ShardMigrations build() {
            List<Target> targets = new ArrayList<>();
            Target beside = main;
            if (beside != null) {
                targets.add(beside);
            }
            for (Shard shard : shards) {
                if (beside != null && shard.id().value().equals(MAIN)) {
                    throw new IllegalArgumentException(
                            "a shard is called main, and so is the database beside the shards;"
                                    + " give the shard another name");
                }
                targets.add(new Target(login(shard), false, settings.locations()));
            }
            PrimarySearch search = new PrimarySearch(connections, cluster);
            targets.forEach(target -> target.shard().nodes().forEach(search::options));
            return new ShardMigrations(this, List.copyOf(targets), requireKnown(canary), search);
        }

        private Shard login(Shard shard) {
            if (username == null) {
                return shard;
            }
            return password == null
                    ? shard.credentials(username, (String) null)
                    : shard.credentials(username, password);
        }

        private ShardId requireKnown(@Nullable ShardId named) {
            List<ShardId> ids = shards.stream().map(Shard::id).toList();
            if (named == null) {
                return ids.get(0);
            }
            if (!ids.contains(named)) {
                throw new IllegalArgumentException("canary " + named + " is no shard; there are " + ids);
            }
            return named;
        }
    }
}
