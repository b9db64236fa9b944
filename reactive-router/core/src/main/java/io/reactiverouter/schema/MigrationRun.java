package io.reactiverouter.schema;

import io.reactiverouter.schema.DatabaseVersion.State;
import io.reactiverouter.schema.FlywayDatabase.Outcome;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * One pass over all databases. Looks at each of them first, and begins only if all can be migrated; then it goes on in stages,
 * the canary's among them, and begins no other database after the first failure.
 */
final class MigrationRun {

    private final List<FlywayDatabase> databases;
    private final String canary;
    private final int concurrency;
    private final Workers workers;

    private volatile boolean stopped;

    MigrationRun(List<FlywayDatabase> databases, String canary, int concurrency, Workers workers) {
        this.databases = databases;
        this.canary = canary;
        this.concurrency = concurrency;
        this.workers = workers;
    }

    /** Does the same with every database, whatever becomes of the others, and keeps their order. */
    Mono<List<Outcome>> each(Function<FlywayDatabase, Outcome> work) {
        return Flux.fromIterable(databases)
                .flatMapSequential(database -> workers.call(database.name(), () -> work.apply(database)), concurrency)
                .collectList();
    }

    Mono<List<Outcome>> migrate() {
        return each(FlywayDatabase::look)
                .flatMap(seen -> seen.stream().allMatch(MigrationRun::mayBegin)
                        ? inStages(seen)
                        : Mono.just(seen.stream().map(MigrationRun::notBegun).toList()))
                .doOnCancel(() -> stopped = true);
    }

    private static boolean mayBegin(Outcome seen) {
        State state = seen.version().state();
        return state == State.UP_TO_DATE || state == State.BEHIND;
    }

    private static Outcome notBegun(Outcome seen) {
        return seen.version().state() == State.BEHIND
                ? new Outcome(seen.version().with(State.NOT_BEGUN), null)
                : seen;
    }

    private Mono<List<Outcome>> inStages(List<Outcome> seen) {
        Map<String, Outcome> outcomes = new LinkedHashMap<>();
        seen.forEach(outcome -> outcomes.put(outcome.version().database(), outcome));
        return Flux.fromIterable(stages())
                .concatMap(stage -> Flux.fromIterable(stage)
                        .flatMap(database -> migrate(database, seenOf(outcomes, database)), concurrency)
                        .collectList()
                        .doOnNext(done -> done.forEach(
                                outcome -> outcomes.put(outcome.version().database(), outcome))))
                .then(Mono.fromSupplier(() -> List.copyOf(outcomes.values())));
    }

    private static Outcome seenOf(Map<String, Outcome> outcomes, FlywayDatabase database) {
        return Objects.requireNonNull(outcomes.get(database.name()));
    }

    private List<List<FlywayDatabase>> stages() {
        List<FlywayDatabase> main = new ArrayList<>();
        List<FlywayDatabase> first = new ArrayList<>();
        List<FlywayDatabase> rest = new ArrayList<>();
        for (FlywayDatabase database : databases) {
            (database.isMain() ? main : database.name().equals(canary) ? first : rest).add(database);
        }
        return Stream.of(main, first, rest).filter(stage -> !stage.isEmpty()).toList();
    }

    private Mono<Outcome> migrate(FlywayDatabase database, Outcome seen) {
        return workers.call(database.name(), () -> {
            if (stopped) {
                return notBegun(seen);
            }
            Outcome outcome = database.migrate(seen.version());
            if (!outcome.version().state().isGood()) {
                stopped = true;
            }
            return outcome;
        });
    }
}
