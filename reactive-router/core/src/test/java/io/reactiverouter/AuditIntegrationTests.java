package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.await;
import static io.reactiverouter.TestClusters.awaitQuiet;
import static io.reactiverouter.TestClusters.busy;
import static io.reactiverouter.TestClusters.number;
import static io.reactiverouter.TestClusters.sql;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.reactiverouter.audit.TableAudit;
import io.reactiverouter.audit.TableAudit.Misplaced;
import io.reactiverouter.strategy.Directory;
import io.reactiverouter.strategy.HashSlots;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.Modulo;
import io.reactiverouter.strategy.Ranges;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.strategy.UnroutableKeyException;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.test.StepVerifier;

@NullUnmarked
class AuditIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3);

    private static final String APP = "audit-tests";
    private static final ShardId S0 = ShardId.of("s0");
    private static final ShardId S1 = ShardId.of("s1");
    private static final ShardId S2 = ShardId.of("s2");

    private static ShardCluster cluster;

    @BeforeAll
    static void open() {
        cluster = TestClusters.over(SHARDS, APP).build();
    }

    @AfterEach
    void nothingIsLeftBehind() {
        awaitQuiet(cluster, SHARDS, APP);
        sql(SHARDS, "drop schema if exists t cascade");
    }

    @AfterAll
    static void close() {
        cluster.close().block(TIMEOUT);
    }

    /** Makes a schema that the test may fill: the tables of one test are gone before the next. */
    private static void tables(String... definitions) {
        sql(SHARDS, "create schema t");
        for (String definition : definitions) {
            sql(SHARDS, "create table t." + definition);
        }
    }

    private static Keyspace keyspace(String name, String... tables) {
        return Keyspace.named(name).key("key").tables(tables);
    }

    private static List<TableAudit> audit(ShardRouter router) {
        return router.audit().collectList().block(TIMEOUT);
    }

    private static TableAudit only(List<TableAudit> audits, ShardId shard) {
        return audits.stream()
                .filter(audit -> audit.shard().equals(shard))
                .findFirst()
                .orElseThrow();
    }

    /** Puts a row where the router does not. */
    private static void put(int shard, String table, String... values) {
        for (String value : values) {
            sql(SHARDS.node(shard), "insert into t." + table + " values (" + value + ")");
        }
    }

    @Test
    void rowsOfTheRouterAreAllInPlace() {
        tables("orders (key bigint)", "\"Trades\" (id int, key bigint)");
        ShardRouter router = cluster.router(keyspace("clean", "t.orders", "t.Trades"));
        Flux.range(-150, 300)
                .flatMap(key -> router.shard(ShardKey.of(key))
                        .update(Query.of("insert into t.orders values ($1)", (long) key))
                        .then(router.shard(ShardKey.of(key))
                                .update(Query.of("insert into t.\"Trades\" values (1, $1)", (long) key))))
                .blockLast(TIMEOUT);

        List<TableAudit> audits = audit(router);

        assertThat(audits).hasSize(6).allSatisfy(audit -> {
            assertThat(audit.misplaced()).isZero();
            assertThat(audit.examples()).isEmpty();
        });
        for (String table : List.of("t.orders", "t.Trades")) {
            List<TableAudit> of =
                    audits.stream().filter(audit -> audit.table().equals(table)).toList();
            assertThat(of.stream().map(TableAudit::shard)).containsExactlyInAnyOrder(S0, S1, S2);
            assertThat(of.stream().mapToLong(TableAudit::rows).sum()).isEqualTo(300);
        }
    }

    @Test
    void misplacedRowsAreCountedAndListedUpToTheLimit() {
        tables("orders (key bigint)");
        ShardRouter router = cluster.router(keyspace("misplaced", "t.orders").strategy(ShardingStrategy.modulo()));
        put(0, "orders", "0", "3", "-3");
        put(1, "orders", "1", "0", "3", "5", "-1", "-2", "9223372036854775807");

        List<TableAudit> audits = audit(router);

        assertThat(only(audits, S0)).isEqualTo(new TableAudit(S0, "t.orders", 3, 0, List.of()));
        assertThat(only(audits, S2)).isEqualTo(new TableAudit(S2, "t.orders", 0, 0, List.of()));
        assertThat(only(audits, S1).rows()).isEqualTo(7);
        assertThat(only(audits, S1).misplaced()).isEqualTo(4);
        assertThat(only(audits, S1).examples())
                .containsExactlyInAnyOrder(
                        new Misplaced(ShardKey.of(0), S0, null),
                        new Misplaced(ShardKey.of(3), S0, null),
                        new Misplaced(ShardKey.of(5), S2, null),
                        new Misplaced(ShardKey.of(-1), S2, null));

        TableAudit two = router.audit(2)
                .filter(audit -> audit.shard().equals(S1))
                .single()
                .block(TIMEOUT);
        assertThat(two.misplaced()).isEqualTo(4);
        assertThat(two.examples()).hasSize(2);
        TableAudit none = router.audit(0)
                .filter(audit -> audit.shard().equals(S1))
                .single()
                .block(TIMEOUT);
        assertThat(none.misplaced()).isEqualTo(4);
        assertThat(none.examples()).isEmpty();
        assertThatIllegalArgumentException().isThrownBy(() -> router.audit(-1)).withMessageContaining("were -1");
    }

    @Test
    void textsAndUuidsAreListedWithTheirShards() {
        tables("words (key varchar)", "ids (key uuid)");
        ShardRouter router =
                cluster.router(keyspace("texts", "t.words", "t.ids").strategy(ShardingStrategy.md5()));
        String word = "it''s \\ \u00fc \ud83d\ude80";
        ShardKey text = ShardKey.of("it's \\ \u00fc \ud83d\ude80");
        ShardKey uuid = ShardKey.of(UUID.fromString("11111111-2222-3333-4444-555555555555"));
        for (int i = 0; i < 3; i++) {
            put(i, "words", "'" + word + "'");
            put(i, "ids", "'11111111-2222-3333-4444-555555555555'");
        }

        List<TableAudit> audits = audit(router);

        assertThat(audits).hasSize(6).allSatisfy(audit -> {
            ShardKey key = audit.table().equals("t.ids") ? uuid : text;
            ShardId owner = router.route(key).shard();
            assertThat(audit.examples())
                    .isEqualTo(audit.shard().equals(owner) ? List.of() : List.of(new Misplaced(key, owner, null)));
        });
    }

    @Test
    void rowsWithoutAKeyAreMisplacedEverywhere() {
        tables("orders (key bigint)");
        ShardRouter router = cluster.router(keyspace("nulls", "t.orders"));
        sql(SHARDS, "insert into t.orders values (null), (null)");

        assertThat(audit(router)).hasSize(3).allSatisfy(audit -> {
            assertThat(audit.rows()).isEqualTo(2);
            assertThat(audit.misplaced()).isEqualTo(2);
            assertThat(audit.examples()).hasSize(2).allSatisfy(row -> {
                assertThat(row.key()).isNull();
                assertThat(row.belongsTo()).isNull();
                assertThat(row.reason()).contains("a row without a key has no shard");
            });
        });
    }

    @Test
    void timesOutsideOfAllRangesHaveNoShard() {
        tables("ticks (key timestamptz)");
        Instant from = Instant.parse("-0043-03-15T00:00:00Z");
        Instant middle = Instant.parse("2026-01-01T00:00:00.000001Z");
        Instant to = Instant.parse("2027-01-01T00:00:00Z");
        ShardRouter router = cluster.router(keyspace("ticks", "t.ticks")
                .strategy(Ranges.startingAt(ShardKey.of(from))
                        .upTo(ShardKey.of(middle), S0)
                        .upTo(ShardKey.of(to), S1)
                        .closed()));
        put(0, "ticks", "'0044-03-15 00:00:00+00 BC'", "'2026-01-01 00:00:00+00'", "'2026-01-01 00:00:00.000001+00'");
        put(0, "ticks", "'0044-03-14 23:59:59.999999+00 BC'");
        put(1, "ticks", "'2027-01-01 00:00:00+00'", "'2026-12-31 23:59:59.999999+00'");

        List<TableAudit> audits = audit(router);

        assertThat(only(audits, S0).misplaced()).isEqualTo(2);
        assertThat(only(audits, S0).examples())
                .contains(new Misplaced(ShardKey.of(middle), S1, null))
                .anySatisfy(row -> {
                    assertThat(row.key()).isEqualTo(ShardKey.of(from.minusNanos(1_000)));
                    assertThat(row.belongsTo()).isNull();
                    assertThat(row.reason()).contains("is outside of all ranges");
                });
        assertThat(only(audits, S1).misplaced()).isEqualTo(1);
        assertThat(only(audits, S1).examples()).singleElement().satisfies(row -> {
            assertThat(row.key()).isEqualTo(ShardKey.of(to));
            assertThat(row.reason()).contains("is outside of all ranges");
        });
    }

    @Test
    void timesThatAreNoKeysHaveAReason() {
        tables("ticks (key timestamptz)");
        ShardRouter router = cluster.router(keyspace("infinite", "t.ticks")
                .strategy(Ranges.fromTheLowest()
                        .upTo(ShardKey.of(Instant.EPOCH), S0)
                        .upTo(ShardKey.of(Instant.parse("2030-01-01T00:00:00Z")), S1)
                        .closed()));
        put(1, "ticks", "'infinity'", "'-infinity'", "'4714-11-24 00:00:00+00 BC'");

        TableAudit audit = only(audit(router), S1);

        assertThat(audit.misplaced()).isEqualTo(3);
        assertThat(audit.examples()).hasSize(3).allSatisfy(row -> {
            assertThat(row.belongsTo()).isNull();
            assertThat(row.reason()).contains("is outside of PostgreSQL's calendar");
        });
    }

    /** The last digit of the key, by a rule that the library knows nothing of. */
    private record LastDigit(List<ShardId> shards) implements ShardingStrategy {

        @Override
        public ShardId locate(ShardKey key) {
            if (key instanceof ShardKey.OfLong number && number.value() >= 0) {
                return number.value() % 10 < 5 ? S0 : S1;
            }
            throw new UnroutableKeyException("no digit in " + key);
        }
    }

    @Test
    void strategyWithoutAnSqlFormIsAuditedHere() {
        tables("orders (key integer)");
        ShardRouter router = cluster.router(keyspace("digits", "t.orders").strategy(new LastDigit(List.of(S0, S1))));
        sql(SHARDS.node(0), "insert into t.orders select n from generate_series(0, 49999) n where n % 10 < 5");
        sql(SHARDS.node(1), "insert into t.orders select n from generate_series(0, 49999) n");
        sql(SHARDS.node(1), "insert into t.orders values (null), (-7)");
        sql(SHARDS.node(2), "insert into t.orders values (1)");

        List<TableAudit> audits = router.audit(10).collectList().block(TIMEOUT);

        assertThat(only(audits, S0)).isEqualTo(new TableAudit(S0, "t.orders", 25_000, 0, List.of()));
        assertThat(only(audits, S1).rows()).isEqualTo(50_002);
        assertThat(only(audits, S1).misplaced()).isEqualTo(25_002);
        assertThat(only(audits, S1).examples())
                .hasSize(10)
                .allSatisfy(row -> assertThat(row.belongsTo()).isEqualTo(S0));
        assertThat(only(audits, S2).examples())
                .as("a row on a shard that the strategy does not use")
                .containsExactly(new Misplaced(ShardKey.of(1), S0, null));
        sql(SHARDS.node(1), "delete from t.orders where key >= 0");
        assertThat(only(audit(router), S1).examples())
                .extracting(Misplaced::reason)
                .anySatisfy(reason -> assertThat(reason).contains("a row without a key"))
                .anySatisfy(reason -> assertThat(reason).contains("no digit in -7"));
    }

    @Test
    void missingTableIsNamedWithItsShard() {
        tables("orders (key bigint)");
        sql(SHARDS.node(1), "drop table t.orders");

        refused(keyspace("gone", "t.orders"), "table t.orders on shard s1 does not exist");
        refused(keyspace("nowhere", "nowhere.orders"), "table nowhere.orders on shard s");
    }

    @Test
    void missingColumnIsNamedWithItsTableAndShard() {
        tables("orders (key bigint)");
        sql(SHARDS.node(2), "alter table t.orders rename key to \"Key\"");

        refused(keyspace("column", "t.orders"), "table t.orders on shard s2 has no column key");
    }

    @ParameterizedTest
    @CsvSource({"numeric, numeric", "char(8), character", "'timestamp', timestamp without time zone", "jsonb, jsonb"})
    void columnOfAnotherTypeIsRefused(String type, String shown) {
        tables("orders (key bigint)");
        sql(SHARDS.node(1), "alter table t.orders drop key");
        sql(SHARDS.node(1), "alter table t.orders add key " + type);

        refused(
                keyspace("type-" + type.replaceAll("[^a-z]", ""), "t.orders"),
                "column key of table t.orders on shard s1 is of type " + shown);
    }

    @Test
    void columnThatTheStrategyCannotPlaceIsNamed() {
        tables("words (key text)");
        sql(SHARDS.node(0), "insert into t.words values ('a')");
        ShardRouter router = cluster.router(keyspace("text-modulo", "t.words").strategy(ShardingStrategy.modulo()));

        // Modulo has no rule for texts: every row is one that the router cannot place.
        assertThat(only(audit(router), S0).examples()).singleElement().satisfies(row -> {
            assertThat(row.key()).isEqualTo(ShardKey.of("a"));
            assertThat(row.reason()).contains("modulo places integer keys only");
        });
    }

    @Test
    void domainsCountAsWhatTheyAreOver() {
        tables();
        sql(SHARDS, "create domain t.small as integer");
        sql(SHARDS, "create domain t.tenant as t.small check (value >= 0)");
        sql(SHARDS, "create table t.orders (key t.tenant)");
        sql(SHARDS, "insert into t.orders select generate_series(0, 8)");
        ShardRouter router = cluster.router(keyspace("domains", "t.orders").strategy(ShardingStrategy.modulo()));

        assertThat(audit(router))
                .hasSize(3)
                .allSatisfy(audit -> assertThat(audit.misplaced()).isEqualTo(6));
    }

    private static void refused(Keyspace keyspace, String message) {
        StepVerifier.create(cluster.router(keyspace).audit().ignoreElements())
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining(message))
                .verify(TIMEOUT);
    }

    @Test
    void keyspaceWithoutTablesCannotBeAudited() {
        refused(Keyspace.named("empty").key("key"), "keyspace empty names no tables");
    }

    @Test
    void shardThatIsNotUsedNeedNotHaveTheTableAndMustBeEmpty() {
        tables("orders (key bigint)");
        sql(SHARDS.node(2), "drop table t.orders");
        List<Shard> two = TestClusters.shardsOf(SHARDS).subList(0, 2);
        ShardRouter router = cluster.router(keyspace("two", "t.orders").strategy(Modulo.over(two)));

        assertThat(audit(router).stream().map(TableAudit::shard)).containsExactlyInAnyOrder(S0, S1);

        sql(SHARDS.node(2), "create table t.orders (key bigint)");
        assertThat(only(audit(router), S2)).isEqualTo(new TableAudit(S2, "t.orders", 0, 0, List.of()));

        put(2, "orders", "2", "3", "null");
        TableAudit audit = only(audit(router), S2);
        assertThat(audit.misplaced()).isEqualTo(3);
        assertThat(audit.examples())
                .contains(new Misplaced(ShardKey.of(2), S0, null), new Misplaced(ShardKey.of(3), S1, null));
    }

    @Test
    void auditInsideATransactionIsRefused() {
        tables("orders (key bigint)");
        ShardRouter router = cluster.router(keyspace("inside", "t.orders"));

        StepVerifier.create(router.shard(ShardKey.of(1)).inTransaction(connection -> router.audit()))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(CrossShardTransactionException.class)
                        .hasMessageContaining("an audit of keyspace inside"))
                .verify(TIMEOUT);
    }

    @Test
    void rowsOfRegionsAreAudited() {
        tables("users (key bigint, \"Region\" text)");
        List<Shard> shards = TestClusters.shardsOf(SHARDS);
        ShardCluster regional = ShardCluster.builder()
                .shard(shards.get(0).region("eu"))
                .shard(shards.get(1).region("eu"))
                .shard(shards.get(2).region("us"))
                .build();
        try {
            ShardRouter router = regional.router(
                    keyspace("regions", "t.users").regionColumn("Region").strategy(ShardingStrategy.geographic()));
            for (long key = 0; key < 50; key++) {
                String region = key % 3 == 0 ? "us" : "eu";
                router.shard(ShardKey.inRegion(region, ShardKey.of(key)))
                        .update(Query.of("insert into t.users values ($1, $2)", key, region))
                        .block(TIMEOUT);
            }
            assertThat(audit(router)).hasSize(3).allSatisfy(audit -> {
                assertThat(audit.rows()).isPositive();
                assertThat(audit.misplaced()).isZero();
            });

            put(2, "users", "1, 'eu'", "2, 'mars'", "3, null", "null, 'us'");

            ShardKey one = ShardKey.inRegion("eu", ShardKey.of(1));
            ShardKey two = ShardKey.inRegion("mars", ShardKey.of(2));
            TableAudit audit = only(audit(router), S2);
            assertThat(audit.misplaced()).isEqualTo(4);
            assertThat(audit.examples())
                    .contains(new Misplaced(one, router.route(one).shard(), null))
                    .anySatisfy(row -> {
                        assertThat(row.key()).isEqualTo(two);
                        assertThat(row.reason()).contains("known regions are [eu, us]");
                    })
                    .anySatisfy(row -> {
                        assertThat(row.key()).isEqualTo(ShardKey.of(3));
                        assertThat(row.reason()).contains("carries no region");
                    })
                    .anySatisfy(row -> {
                        assertThat(row.key()).isNull();
                        assertThat(row.reason()).contains("a row without a key");
                    });
        } finally {
            regional.close().block(TIMEOUT);
        }
    }

    @Test
    void geographicKeyspaceWithoutARegionColumnIsRefused() {
        tables("users (key bigint, region text)");
        List<Shard> shards = TestClusters.shardsOf(SHARDS);
        ShardCluster regional = ShardCluster.builder()
                .shards(shards.stream().map(shard -> shard.region("eu")).toList())
                .build();
        try {
            ShardRouter router =
                    regional.router(keyspace("regions", "t.users").strategy(ShardingStrategy.geographic()));
            StepVerifier.create(router.audit())
                    .expectErrorSatisfies(error -> assertThat(error)
                            .isInstanceOf(IllegalArgumentException.class)
                            .hasMessageContaining("regionColumn"))
                    .verify(TIMEOUT);
        } finally {
            regional.close().block(TIMEOUT);
        }
    }

    @Test
    void auditFollowsTheCurrentPlacement() {
        tables("orders (key bigint)");
        ShardRouter router =
                cluster.router(keyspace("pins", "t.orders").strategy(shards -> Directory.over(Modulo.over(shards))));
        put(0, "orders", "0");
        assertThat(only(audit(router), S0).misplaced()).isZero();

        router.replacePlacement(
                router.placement(),
                Directory.over(Modulo.over(cluster.shards())).pin(ShardKey.of(0), S2));

        assertThat(only(audit(router), S0).examples()).containsExactly(new Misplaced(ShardKey.of(0), S2, null));
    }

    @Test
    void auditTakesNoLockAgainstWritersAndSeesOneSnapshot() throws InterruptedException {
        // Each row takes 20 ms to read.
        tables("base (key bigint)");
        sql(SHARDS, "insert into t.base select generate_series(0, 99)");
        sql(SHARDS, "create view t.slow as select key from t.base where pg_sleep(0.02) is not null");
        ShardRouter router =
                cluster.router(keyspace("writers", "t.slow", "t.base").strategy(HashSlots::over));
        List<TableAudit> audits = new CopyOnWriteArrayList<>();
        CountDownLatch done = new CountDownLatch(1);
        router.audit(3).doFinally(signal -> done.countDown()).subscribe(audits::add);
        await("the audit runs", TIMEOUT, () -> readers() > 0);

        long start = System.nanoTime();
        sql(SHARDS.node(0), "set lock_timeout = '1s'; insert into t.base select generate_series(1000, 1009)");
        sql(SHARDS.node(0), "set lock_timeout = '1s'; update t.base set key = key where key >= 1000");
        sql(SHARDS.node(0), "set lock_timeout = '1s'; create index on t.base (key)");
        Duration writers = Duration.ofNanos(System.nanoTime() - start);
        long readersAfter = readers();
        long others = number(
                SHARDS.node(0),
                "select count(*) from pg_locks l join pg_stat_activity a using (pid) where a.application_name = '" + APP
                        + "' and l.locktype = 'relation' and l.mode <> 'AccessShareLock'");

        assertThat(done.await(TIMEOUT.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(readersAfter)
                .as("the audit was still running after %s", writers)
                .isPositive();
        assertThat(others).as("locks beside AccessShareLock").isZero();
        TableAudit slow = audits.stream()
                .filter(audit -> audit.table().equals("t.slow") && audit.shard().equals(S0))
                .findFirst()
                .orElseThrow();
        assertThat(slow.rows()).as("rows of the snapshot").isEqualTo(100);
        assertThat(slow.examples()).hasSize(3);
    }

    private static long readers() {
        return number(
                SHARDS.node(0),
                "select count(*) from pg_locks l join pg_stat_activity a using (pid) where a.application_name = '" + APP
                        + "' and l.relation = 't.base'::regclass and l.mode = 'AccessShareLock'");
    }

    @RepeatedTest(3)
    void cancelStopsTheAuditOnTheServers(RepetitionInfo repetition) {
        tables("base (key bigint)");
        sql(SHARDS, "insert into t.base select generate_series(0, 9999)");
        sql(SHARDS, "create view t.slow as select key from t.base where pg_sleep(0.02) is not null");
        ShardRouter router = cluster.router(keyspace("cancelled" + repetition.getCurrentRepetition(), "t.slow"));
        ShardRouter streaming =
                cluster.router(keyspace("cancelled-stream" + repetition.getCurrentRepetition(), "t.slow")
                        .strategy(new LastDigit(List.of(S0, S1))));

        for (ShardRouter audited : List.of(router, streaming)) {
            Disposable audit = audited.audit().subscribe();
            await(
                    "the audit runs on all shards",
                    TIMEOUT,
                    () -> IntStream.range(0, 3).allMatch(i -> busy(SHARDS.node(i), APP) == 1));

            audit.dispose();

            awaitQuiet(cluster, SHARDS, APP);
        }
    }
}
