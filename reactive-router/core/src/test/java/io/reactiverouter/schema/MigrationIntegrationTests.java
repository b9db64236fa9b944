package io.reactiverouter.schema;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.reactiverouter.TestClusters;
import io.reactiverouter.connection.WrongDatabaseException;
import io.reactiverouter.schema.DatabaseVersion.State;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.NodeAddress;
import io.reactiverouter.topology.Secret;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

@NullUnmarked
class MigrationIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(4);

    private static final String SLOW = "create table %1$s_begun as select clock_timestamp() as at;"
            + " select pg_sleep(0.5); create table %1$s_ended as select clock_timestamp() as at";

    @TempDir
    Path directory;

    private Scripts scripts;

    @BeforeEach
    void empty() {
        SHARDS.nodes()
                .forEach(node -> node.execute("drop schema if exists reactive_router cascade;"
                        + " drop schema public cascade; create schema public"));
        scripts = new Scripts(directory.resolve("shards"));
    }

    private static List<Shard> shards(int count) {
        return TestClusters.shardsOf(SHARDS).subList(0, count);
    }

    private ShardMigrations.Builder builder() {
        return ShardMigrations.builder(shards(3)).settings(scripts.settings());
    }

    private ShardMigrations migrations() {
        return builder().build();
    }

    private static long number(int shard, String sql) {
        return SHARDS.node(shard).number(sql);
    }

    private static MigrationFailedException failure(Mono<?> run) {
        return catchThrowableOfType(MigrationFailedException.class, () -> run.block(TIMEOUT));
    }

    private static DatabaseVersion of(MigrationReport report, String name) {
        return report.database(name).orElseThrow();
    }

    @Test
    void everyShardIsMigratedAndASecondRunHasNothingToDo() {
        scripts.with("V1__orders.sql", "create table orders (id bigint)")
                .with("V2__note.sql", "alter table orders add note text")
                .with("R__view.sql", "create or replace view notes as select note from orders");

        MigrationReport first = migrations().migrate().block(TIMEOUT);

        assertThat(first.isGood()).isTrue();
        assertThat(first.databases()).hasSize(3).allSatisfy(shard -> {
            assertThat(shard.state()).isEqualTo(State.MIGRATED);
            assertThat(shard.before()).isNull();
            assertThat(shard.after()).isEqualTo("2");
            assertThat(shard.applied()).containsExactly("1", "2", "view");
        });
        for (int shard = 0; shard < 3; shard++) {
            assertThat(number(shard, "select count(note) from notes")).isZero();
        }
        assertThat(migrations().migrate().block(TIMEOUT).databases()).allSatisfy(shard -> {
            assertThat(shard.state()).isEqualTo(State.UP_TO_DATE);
            assertThat(shard.before()).isEqualTo("2");
            assertThat(shard.applied()).isEmpty();
        });
        assertThat(migrations().validate().block(TIMEOUT).isGood()).isTrue();
    }

    @Test
    void canaryIsMigratedAloneAndTheOthersAfterItSeveralAtATime() {
        scripts.with("V1__slow.sql", SLOW.formatted("one"));

        builder().canary(ShardId.of("s1")).build().migrate().block(TIMEOUT);

        assertThat(micros(1, "one_ended")).isLessThan(micros(0, "one_begun")).isLessThan(micros(2, "one_begun"));
        assertThat(micros(0, "one_begun")).isLessThan(micros(2, "one_ended"));
        assertThat(micros(2, "one_begun")).isLessThan(micros(0, "one_ended"));
    }

    @Test
    void noMoreShardsAreAtWorkThanTheConcurrencyAllows() {
        scripts.with("V1__slow.sql", SLOW.formatted("one"));

        builder()
                .settings(scripts.settings().withConcurrency(1))
                .build()
                .migrate()
                .block(TIMEOUT);

        assertThat(micros(0, "one_ended")).isLessThan(micros(1, "one_begun"));
        assertThat(micros(1, "one_ended")).isLessThan(micros(2, "one_begun"));
    }

    private static long micros(int shard, String table) {
        return number(shard, "select (extract(epoch from at) * 1000000)::bigint from " + table);
    }

    @Test
    void firstFailureStopsTheRunAndTheNextOneGoesOnThere() {
        scripts.with("V1__orders.sql", "create table orders (id bigint)");
        migrations().migrate().block(TIMEOUT);
        SHARDS.node(1).execute("create table notes (id bigint)");
        scripts.with("V2__amount.sql", "alter table orders add amount bigint")
                .with("V3__notes.sql", "create table notes (id bigint);\ncreate table more (id bigint)");
        ShardMigrations oneByOne =
                builder().settings(scripts.settings().withConcurrency(1)).build();

        MigrationFailedException failure = failure(oneByOne.migrate());

        MigrationReport report = failure.report();
        assertThat(of(report, "s0").state()).isEqualTo(State.MIGRATED);
        assertThat(of(report, "s0").after()).isEqualTo("3");
        DatabaseVersion failed = of(report, "s1");
        assertThat(failed.state()).isEqualTo(State.FAILED);
        assertThat(failed.before()).isEqualTo("1");
        assertThat(failed.after()).isEqualTo("2");
        assertThat(failed.applied()).containsExactly("2");
        assertThat(failed.pending()).containsExactly("3");
        assertThat(failed.problem())
                .contains("V3__notes.sql")
                .contains("\"notes\" already exists")
                .contains("42P07");
        assertThat(of(report, "s2").state()).isEqualTo(State.NOT_BEGUN);
        assertThat(of(report, "s2").after()).isEqualTo("1");
        assertThat(failure)
                .hasMessageContaining("1 migrated, 1 failed, 1 not begun")
                .hasMessageContaining("1 -> 2");
        assertThat(failure.getCause()).isNotNull();

        SHARDS.node(1).execute("drop table notes");
        assertThat(oneByOne.migrate().block(TIMEOUT).databases())
                .extracting(DatabaseVersion::state)
                .containsExactly(State.UP_TO_DATE, State.MIGRATED, State.MIGRATED);
    }

    @Test
    void whatAScriptOutsideOfATransactionHasLeftBehindIsRepaired() {
        scripts.with("V1__orders.sql", "create table orders (id bigint)")
                .with("V2__unique.sql", "create unique index concurrently orders_id on orders (id)");
        SHARDS.node(0).execute("create table before (id bigint)");
        ShardMigrations migrations =
                builder().settings(scripts.settings().withBaseline("0")).build();
        scripts.with("V1_5__twice.sql", "insert into orders select 1 from generate_series(1, 2)");

        MigrationFailedException failure = failure(migrations.migrate());

        assertThat(of(failure.report(), "s0").problem())
                .contains("V2__unique.sql")
                .contains("23505");
        assertThat(of(failure.report(), "s1").state()).isEqualTo(State.NOT_BEGUN);
        assertThat(failure.remedy()).contains("repair()");
        MigrationFailedException again = failure(migrations.migrate());
        assertThat(of(again.report(), "s0").state()).isEqualTo(State.DIFFERENT);
        assertThat(of(again.report(), "s0").problem()).contains("Detected failed migration to version 2");

        SHARDS.node(0).execute("drop index orders_id; delete from orders");
        assertThat(migrations.repair().block(TIMEOUT).databases())
                .extracting(DatabaseVersion::state)
                .containsOnly(State.BEHIND);
        scripts.with("V1_5__twice.sql", "insert into orders select 1 from generate_series(1, 1)");
        migrations.repair().block(TIMEOUT);
        assertThat(migrations.migrate().block(TIMEOUT).isGood()).isTrue();
    }

    @Test
    void aDatabaseWithTablesAndNoHistoryIsAnErrorUnlessItsVersionIsSaid() {
        scripts.with("V1__orders.sql", "create table orders (id bigint)")
                .with("V2__note.sql", "alter table orders add note text");
        SHARDS.node(0).execute("create table orders (id bigint)");

        assertThat(failure(migrations().migrate())).hasMessageContaining("non-empty schema");

        builder()
                .settings(scripts.settings().withBaseline("1"))
                .build()
                .migrate()
                .block(TIMEOUT);
        assertThat(number(0, "select count(note) from orders")).isZero();
    }

    @Test
    void validationNamesTheShardAndTheVersionThatDiffer() {
        scripts.with("V1__orders.sql", "create table orders (id bigint)");
        migrations().migrate().block(TIMEOUT);
        scripts.with("V2__note.sql", "alter table orders add note text");
        ShardMigrations.builder(shards(1))
                .settings(scripts.settings())
                .build()
                .migrate()
                .block(TIMEOUT);

        SchemaMismatchException behind = catchThrowableOfType(
                SchemaMismatchException.class, () -> migrations().validate().block(TIMEOUT));

        assertThat(of(behind.report(), "s0").state()).isEqualTo(State.UP_TO_DATE);
        assertThat(of(behind.report(), "s1").state()).isEqualTo(State.BEHIND);
        assertThat(of(behind.report(), "s1").pending()).containsExactly("2");
        assertThat(behind.getMessage()).containsPattern("s2 +behind +1 +lacks 2");

        scripts.with("V1__orders.sql", "create table orders (id bigint, changed text)");
        SchemaMismatchException changed = catchThrowableOfType(
                SchemaMismatchException.class, () -> migrations().validate().block(TIMEOUT));
        assertThat(of(changed.report(), "s2").state()).isEqualTo(State.DIFFERENT);
        assertThat(of(changed.report(), "s2").problem()).contains("checksum mismatch for migration version 1");
        assertThat(failure(migrations().migrate()).report())
                .as("nothing is migrated where history and scripts contradict each other")
                .extracting(report -> of(report, "s2").after())
                .isEqualTo("1");
    }

    @Test
    void laterScriptsOfAnotherInstanceAreNoError() {
        scripts.with("V1__orders.sql", "create table orders (id bigint)").with("V2__a.sql", "select 1");
        migrations().migrate().block(TIMEOUT);
        Scripts older =
                new Scripts(directory.resolve("older")).with("V1__orders.sql", "create table orders (id bigint)");

        assertThat(builder()
                        .settings(older.settings())
                        .build()
                        .validate()
                        .block(TIMEOUT)
                        .isGood())
                .isTrue();
    }

    @Test
    void nothingIsChangedWhileAShardIsUnreachable() {
        scripts.with("V1__orders.sql", "create table orders (id bigint)");
        List<Shard> shards = new ArrayList<>(shards(2));
        shards.add(Shard.named("s2").primary("r2dbc:postgresql://app:hunter2-secret@127.0.0.1:1/app"));
        ShardMigrations migrations =
                ShardMigrations.builder(shards).settings(scripts.settings()).build();

        MigrationFailedException failure = failure(migrations.migrate());

        assertThat(of(failure.report(), "s2").state()).isEqualTo(State.UNREACHABLE);
        assertThat(of(failure.report(), "s2").problem()).contains("127.0.0.1:1").contains("refused");
        assertThat(of(failure.report(), "s0").state()).isEqualTo(State.NOT_BEGUN);
        assertThat(number(0, "select count(*) from pg_tables where schemaname = 'public'"))
                .isZero();
        assertThat(of(migrations.info().block(TIMEOUT), "s2").state()).isEqualTo(State.UNREACHABLE);
        assertThat(catchThrowable(() -> migrations.drift().block(TIMEOUT)))
                .isInstanceOf(SchemaUnreadableException.class)
                .hasMessageContaining("s2")
                .hasMessageContaining("127.0.0.1:1");
        assertThat(everything(failure)).doesNotContain("hunter2");
        System.out.println(failure.report());
    }

    @Test
    void noPasswordIsShown() {
        scripts.with("V1__orders.sql", "create table orders (id bigint)");
        ShardNode node = SHARDS.node(0);
        ShardMigrations migrations = ShardMigrations.builder(shards(1))
                .settings(scripts.settings().withPlaceholders(Map.of("token", "hunter2-secret")))
                .credentials(node.username(), Secret.of("hunter2-secret"))
                .build();

        MigrationFailedException failure = failure(migrations.migrate());

        assertThat(failure.report().toString()).contains("28P01");
        assertThat(everything(failure)).doesNotContain("hunter2");
        assertThat(migrations + " " + scripts.settings().withPlaceholders(Map.of("token", "hunter2-secret")))
                .doesNotContain("hunter2");
    }

    private static String everything(Throwable error) {
        StringWriter text = new StringWriter();
        error.printStackTrace(new PrintWriter(text));
        return text.toString();
    }

    @Test
    void migrationsCanHaveALoginOfTheirOwnWhosePasswordIsAskedForEachTime() throws Exception {
        scripts.with("V1__orders.sql", "create table orders (id bigint)");
        ShardNode node = SHARDS.node(0);
        Path file = Files.writeString(directory.resolve("password"), "wrong");
        Shard other = Shard.named("s0")
                .primary("r2dbc:postgresql://nobody@" + node.host() + ":" + node.port() + "/" + node.database());
        ShardMigrations migrations = ShardMigrations.builder(List.of(other))
                .settings(scripts.settings())
                .credentials(node.username(), Secret.file(file))
                .build();
        assertThat(failure(migrations.migrate())).hasMessageContaining("28P01");

        Files.writeString(file, node.password());
        assertThat(migrations.migrate().block(TIMEOUT).isGood()).isTrue();
        Files.delete(file);
        assertThat(failure(migrations.migrate())).hasMessageContaining("cannot be read from");
    }

    @Test
    void instancesThatStartAtOnceApplyEachScriptOnce() throws Exception {
        scripts.with("V1__orders.sql", "create table orders (id bigint); select pg_sleep(0.1)")
                .with("V2__row.sql", "insert into orders values (1)")
                .with("V3__index.sql", "create index concurrently orders_id on orders (id)")
                .with("V4__row.sql", "insert into orders values (2)")
                .with("V5__index.sql", "create index concurrently orders_big on orders (id) where id > 10");
        int instances = 4;
        CountDownLatch start = new CountDownLatch(instances);

        List<MigrationReport> reports = Flux.range(0, instances)
                .flatMap(instance -> Mono.fromCallable(() -> {
                            start.countDown();
                            start.await();
                            return instance;
                        })
                        .subscribeOn(Schedulers.boundedElastic())
                        .flatMap(ready -> migrations().migrate()))
                .collectList()
                .block(Duration.ofSeconds(50));

        assertThat(reports).hasSize(instances).allMatch(MigrationReport::isGood);
        for (int shard = 0; shard < 3; shard++) {
            assertThat(number(shard, "select count(*) from orders")).isEqualTo(2);
            assertThat(number(shard, "select count(*) from pg_index where not indisvalid"))
                    .isZero();
            String name = "s" + shard;
            assertThat(reports.stream().flatMap(report -> of(report, name).applied().stream()))
                    .containsExactlyInAnyOrder("1", "2", "3", "4", "5");
        }
    }

    @Test
    void anIndexIsMadeConcurrentlyWhileOthersReadAndWrite() throws Exception {
        scripts.with("V1__orders.sql", "create table orders (id bigint)");
        migrations().migrate().block(TIMEOUT);
        scripts.with("V2__index.sql", "create index concurrently orders_id on orders (id)");
        try (var connection = SHARDS.node(0).openJdbc();
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("insert into orders values (1)");
            Mono<MigrationReport> run = migrations().migrate().cache();
            Disposable running = run.subscribe(done -> {}, error -> {});
            TestClusters.await(
                    "the index waits for the open transaction",
                    TIMEOUT,
                    () -> number(
                                    0,
                                    "select count(*) from pg_stat_activity where query like 'create index concurrently%'"
                                            + " and wait_event_type = 'Lock'")
                            == 1);
            SHARDS.node(0).execute("insert into orders values (2)");
            connection.commit();
            assertThat(run.block(TIMEOUT).isGood()).isTrue();
            assertThat(running.isDisposed()).isTrue();
        }
    }

    @Test
    void aScriptWaitsForALockNoLongerThanItMay() throws Exception {
        scripts.with("V1__orders.sql", "create table orders (id bigint)");
        migrations().migrate().block(TIMEOUT);
        scripts.with("V2__note.sql", "alter table orders add note text");
        try (var connection = SHARDS.node(0).openJdbc();
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("lock table orders");

            assertThat(failure(builder()
                            .settings(scripts.settings().withLockTimeout(Duration.ofMillis(100)))
                            .build()
                            .migrate()))
                    .hasMessageContaining("55P03");
        }
    }

    @Test
    void turnOfAnotherInstanceIsWaitedForNoLongerThanSaid() throws Exception {
        scripts.with("V1__orders.sql", "create table orders (id bigint)").with("V2__slow.sql", "select pg_sleep(3)");
        ShardMigrations patient =
                ShardMigrations.builder(shards(1)).settings(scripts.settings()).build();
        Mono<MigrationReport> slow = patient.migrate().cache();
        slow.subscribe(done -> {}, error -> {});
        TestClusters.await(
                "the slow script runs",
                TIMEOUT,
                () -> number(0, "select count(*) from pg_stat_activity where query = 'select pg_sleep(3)'") == 1);

        assertThat(failure(ShardMigrations.builder(shards(1))
                        .settings(scripts.settings().withTurnTimeout(Duration.ofSeconds(1)))
                        .build()
                        .migrate()))
                .hasMessageContaining("lock");
        assertThat(slow.block(TIMEOUT).isGood()).isTrue();
    }

    @Test
    void afterACancelNoOtherShardIsBegun() {
        scripts.with("V1__slow.sql", "create table begun (id int); select pg_sleep(0.5); create table ended (id int)");
        Disposable run = builder()
                .settings(scripts.settings().withConcurrency(1))
                .build()
                .migrate()
                .subscribe(done -> {}, error -> {});
        String asleep = "select count(*) from pg_stat_activity where query like '%pg_sleep(0.5)%'"
                + " and wait_event = 'PgSleep'";
        TestClusters.await("the canary is at work", TIMEOUT, () -> number(0, asleep) == 1);

        run.dispose();

        TestClusters.await(
                "the script of the canary comes to its end",
                TIMEOUT,
                () -> number(0, "select count(*) from pg_tables where tablename = 'ended'") == 1);
        TestClusters.await(
                "the threads are gone",
                TIMEOUT,
                () -> Thread.getAllStackTraces().keySet().stream()
                        .noneMatch(thread -> thread.getName().startsWith("shard-schema")));
        assertThat(number(1, "select count(*) from pg_tables where tablename = 'begun'"))
                .isZero();
    }

    @Test
    void migrationsBlockNobodyWhoSubscribes() {
        scripts.with("V1__orders.sql", "create table orders (id bigint)");
        // BlockHound watches these threads.
        assertThat(Mono.defer(() -> migrations().migrate())
                        .subscribeOn(Schedulers.parallel())
                        .block(TIMEOUT)
                        .isGood())
                .isTrue();
    }

    @Test
    void databaseBesideTheShardsHasScriptsOfItsOwnAndComesFirst() {
        scripts.with("V1__slow.sql", SLOW.formatted("one"));
        Scripts global = new Scripts(directory.resolve("main"))
                .with("V1__countries.sql", "create table countries (code text)")
                .with("V7__slow.sql", SLOW.formatted("one"));
        ShardMigrations migrations = builder()
                .main(NodeAddress.parse(SHARDS.node(3).r2dbcUrl()), global.location())
                .build();

        MigrationReport report = migrations.migrate().block(TIMEOUT);

        assertThat(report.databases()).extracting(DatabaseVersion::database).containsExactly("main", "s0", "s1", "s2");
        assertThat(of(report, "main").after()).isEqualTo("7");
        assertThat(of(report, "s0").after()).isEqualTo("1");
        assertThat(number(3, "select count(*) from countries")).isZero();
        assertThat(number(0, "select count(*) from pg_tables where tablename = 'countries'"))
                .isZero();
        assertThat(micros(3, "one_ended")).isLessThan(micros(0, "one_begun"));
        assertThat(migrations.drift().block(TIMEOUT).isEmpty()).isTrue();
    }

    @Test
    void aDatabaseThatSaysThatItIsAnotherShardIsRefused() {
        scripts.with("V1__orders.sql", "create table orders (id bigint)");
        SHARDS.node(0)
                .execute(
                        "create schema reactive_router; create table reactive_router.identity (cluster text, shard text);"
                                + " insert into reactive_router.identity values ('trading', 's1')");

        MigrationFailedException failure = failure(migrations().migrate());

        assertThat(failure).hasCauseInstanceOf(WrongDatabaseException.class);
        assertThat(of(failure.report(), "s0").problem()).contains("says that it is shard s1 of cluster trading");
        assertThat(of(failure.report(), "s1").state()).isEqualTo(State.NOT_BEGUN);
        SHARDS.node(0).execute("update reactive_router.identity set shard = 's0'");
        assertThat(failure(builder().name("billing").build().migrate())).hasMessageContaining("cluster trading");
        assertThat(builder().name("trading").build().migrate().block(TIMEOUT).isGood())
                .isTrue();
    }

    @Test
    void badSettingsFailBeforeAnythingIsConnectedTo() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder().canary(ShardId.of("s9")).build())
                .withMessageContaining("s9 is no shard; there are [s0, s1, s2]");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ShardMigrations.builder(
                                List.of(Shard.named("main").primary("r2dbc:postgresql://a@b/c")))
                        .main(NodeAddress.parse("r2dbc:postgresql://a@b/d"), List.of("classpath:db/main"))
                        .build())
                .withMessageContaining("another name");
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> ShardMigrations.builder(List.of(Shard.named("s0").primary("r2dbc:postgresql://b/c")))
                                .build())
                .withMessageContaining("no user name");
        Scripts nowhere = new Scripts(directory.resolve("nowhere"));
        assertThat(failure(builder().settings(nowhere.settings()).build().migrate()))
                .hasMessageContaining("nowhere");
        assertThat(IntStream.range(0, 3))
                .allMatch(
                        shard -> number(shard, "select count(*) from pg_tables where" + " schemaname = 'public'") == 0);
    }
}
