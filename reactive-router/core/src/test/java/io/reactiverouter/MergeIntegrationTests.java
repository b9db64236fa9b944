package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.await;
import static io.reactiverouter.TestClusters.awaitQuiet;
import static io.reactiverouter.TestClusters.busy;
import static io.reactiverouter.TestClusters.number;
import static io.reactiverouter.order.SortKey.asc;
import static io.reactiverouter.order.SortKey.desc;
import static org.assertj.core.api.Assertions.assertThat;

import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.aggregate.Aggregation;
import io.reactiverouter.connection.CallTimeoutException;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.order.SortKey;
import io.reactiverouter.scatter.FailurePolicy;
import io.reactiverouter.scatter.Gathered;
import io.reactiverouter.scatter.OrderViolationException;
import io.reactiverouter.scatter.ScatterManifest;
import io.reactiverouter.scatter.ShardOutcome;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;

/** Rows of several shards in one order. */
@NullUnmarked
class MergeIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3);

    private static final String APP = "merge-tests";
    private static final int ROWS = 3_000;

    /** A column for each kind of type, with duplicates, nulls and the values that sort in a way of their own. */
    private static final String COLUMNS = """
            n % 37 as small,
            case when n % 11 = 0 then null else (n % 101)::numeric / 8 end as exact,
            case n % 13 when 0 then 'NaN' when 1 then '-Infinity' when 2 then '-0' when 3 then null else (n % 50)::text end::float8 as wide,
            n % 3 = 0 as flag,
            (array['a', 'B', 'ä', '𝄞', '\uFFFD', '', null, 'ab', ' a'])[1 + n % 9] as name,
            ('0000000' || n % 10 || '-0000-0000-' || case n % 2 when 0 then 'f' else '0' end || '000-000000000000')::uuid as id_,
            decode(lpad(to_hex(n * 7919 % 256), 2, '0') || repeat('00', n % 3), 'hex') as bytes,
            case n % 17 when 0 then '-infinity' when 1 then 'infinity' when 2 then '0044-03-15 BC' else '2026-01-01' end::timestamptz
                + (n % 5) * interval '1 microsecond' as at_,
            date '2026-01-01' - n % 40 as day,
            (n % 7) * interval '1 month' - (n % 210) * interval '1 day' as period,
            (array['low', 'high', 'middle', null])[1 + n % 4]::grade as grade
            """;

    private static ShardCluster cluster;
    private static ShardRouter router;

    @BeforeAll
    static void open() {
        TestClusters.sql(SHARDS, "create type grade as enum ('low', 'middle', 'high')");
        TestClusters.sql(SHARDS, "create sequence sent");
        for (int i = 0; i < 3; i++) {
            // Of uneven size.
            TestClusters.sql(
                    SHARDS.node(i),
                    "create table items as select n as id, " + COLUMNS + " from generate_series(1, " + ROWS
                            + ") n where n % 3 = " + i + " and (n % 3 < 2 or n < 400)");
            TestClusters.sql(SHARDS.node(i), "alter table items add primary key (id)");
        }
        TestClusters.sql(
                SHARDS.node(0),
                "create table everything as select n as id, " + COLUMNS + " from generate_series(1, " + ROWS
                        + ") n where n % 3 < 2 or n < 400");
        cluster = TestClusters.over(SHARDS, APP).build();
        router = cluster.router(Keyspace.named("items").key("id").strategy(ShardingStrategy.modulo()));
        // The limits of tests are for what they test.
        cluster.warmup().block(TIMEOUT);
    }

    @AfterEach
    void nothingIsLeftBehind() {
        awaitQuiet(cluster, SHARDS, APP);
    }

    @AfterAll
    static void close() {
        cluster.close().block(TIMEOUT);
    }

    static Stream<Arguments> orders() {
        List<SortKey[]> orders = new ArrayList<>();
        for (String column :
                List.of("small", "exact", "wide", "flag", "id_", "bytes", "at_", "day", "period", "grade")) {
            orders.add(new SortKey[] {asc(column), asc("id")});
            orders.add(new SortKey[] {desc(column), asc("id")});
            orders.add(new SortKey[] {asc(column).nullsFirst(), desc("id")});
            orders.add(new SortKey[] {desc(column).nullsLast(), desc("id")});
        }
        orders.add(new SortKey[] {asc("name").collateC(), asc("id")});
        orders.add(new SortKey[] {desc("name").collateC().nullsLast(), asc("id")});
        orders.add(new SortKey[] {desc("grade"), asc("name").collateC(), desc("wide"), asc("id")});
        orders.add(new SortKey[] {asc("flag"), desc("small"), asc("period").nullsFirst(), desc("id")});
        return orders.stream().map(order -> Arguments.of((Object) order));
    }

    /** What the merge must give is what one server gives that has all the rows. */
    @ParameterizedTest
    @MethodSource("orders")
    void orderIsThatOfOneServer(SortKey[] order) {
        List<Long> merged = ids(router.allShards().orderBy(order), "select * from items");

        assertThat(merged).isEqualTo(expected(order, ""));
    }

    private static List<Long> ids(ScatterOperations operations, String sql) {
        return operations
                .query(Query.of(sql).fetchSize(100), row -> row.get("id", Long.class))
                .collectList()
                .block(TIMEOUT);
    }

    private static List<Long> expected(SortKey[] order, String more) {
        List<String> keys = new ArrayList<>();
        for (SortKey key : order) {
            keys.add(key.column() + (key.collation() == SortKey.Collation.C ? " collate \"C\"" : "") + " "
                    + key.direction() + " nulls " + key.nulls());
        }
        return cluster.shard(ShardId.of("s0"))
                .query(
                        Query.of("select id from everything order by " + String.join(", ", keys) + more),
                        row -> row.get(0, Long.class))
                .collectList()
                .block(TIMEOUT);
    }

    @Test
    void limitAndOffsetAreThoseOfOneServer() {
        SortKey[] order = {desc("exact"), asc("id")};
        for (long[] slice : new long[][] {{0, 1}, {0, 100}, {50, 100}, {2_000, 1_000}, {5_000, 10}}) {
            ScatterOperations part = router.allShards().orderBy(order).limit(slice[1]);

            assertThat(ids(slice[0] == 0 ? part : part.offset(slice[0]), "select * from items -- all"))
                    .as("offset %d limit %d", slice[0], slice[1])
                    .isEqualTo(expected(order, " offset " + slice[0] + " limit " + slice[1]));
        }
    }

    @Test
    void distinctRowsAreThoseOfOneServer() {
        List<String> merged = router.allShards()
                .orderBy(desc("grade").nullsLast(), asc("name").collateC())
                .distinct()
                .query(
                        Query.of("select grade, name from items"),
                        row -> row.get(0, String.class) + "/" + row.get(1, String.class))
                .collectList()
                .block(TIMEOUT);

        assertThat(merged)
                .isEqualTo(cluster.shard(ShardId.of("s0"))
                        .query(
                                Query.of("select distinct grade, name collate \"C\" from everything"
                                        + " order by grade desc nulls last, name collate \"C\""),
                                row -> row.get(0, String.class) + "/" + row.get(1, String.class))
                        .collectList()
                        .block(TIMEOUT))
                .hasSizeGreaterThan(20);
    }

    @Test
    void distinctRowsOfDomains() {
        TestClusters.sql(
                SHARDS,
                "create type season as enum ('spring', 'autumn'); create domain harvest as season;"
                        + " create domain tag as text collate \"C\"");
        assertThat(router.allShards()
                        .orderBy(desc("h"), asc("t"))
                        .distinct()
                        .limit(3)
                        .query(
                                Query.of("select s::harvest as h, t::tag as t from unnest(enum_range(null::season)) s,"
                                        + " unnest(array['a', 'B', null, 'a']) t"),
                                row -> row.get("h", String.class) + " " + row.get("t", String.class))
                        .collectList()
                        .block(TIMEOUT))
                .containsExactly("autumn B", "autumn a", "autumn null");
    }

    @Test
    void rowsThatAreEqualInTheOrderComeInTheOrderOfTheShards() {
        List<String> merged = router.allShards()
                .orderBy(asc("k"))
                .query(
                        Query.of("select n / 2 as k, current_setting('port') as node from generate_series(0, 9) n"),
                        row -> row.get(0, Integer.class) + "@" + row.get(1, String.class))
                .collectList()
                .block(TIMEOUT);

        List<String> expected = new ArrayList<>();
        for (int k = 0; k < 5; k++) {
            for (ShardNode node : SHARDS.nodes()) {
                expected.addAll(Collections.nCopies(2, k + "@" + node.port()));
            }
        }
        assertThat(merged).isEqualTo(expected);
    }

    @Test
    void limitStopsTheOtherShards() {
        // The first shard has all of the answer; the others would go on for a long time.
        List<Gathered<Long>> all = router.allShards()
                .sortedBy(asc("n"))
                .limit(5)
                .gather(
                        Query.of(
                                        "select generate_series(1 + 100000 * (current_setting('port')::int <> $1)::int,"
                                                + " 100000000) as n",
                                        SHARDS.node(0).port())
                                .fetchSize(100),
                        row -> row.get(0, Long.class))
                .collectList()
                .block(TIMEOUT);

        assertThat(all).hasSize(6);
        ScatterManifest manifest = ((Gathered.Manifest<Long>) all.get(5)).manifest();
        assertThat(manifest.outcomes())
                .allSatisfy(outcome -> assertThat(outcome).isInstanceOf(ShardOutcome.Limited.class));
        assertThat(manifest.isComplete()).isTrue();
        assertThat(manifest.outcomes().get(0).firstRow()).isNotNull();
        for (ShardNode node : SHARDS.nodes()) {
            await("it has stopped on " + node.name(), Duration.ofMillis(500), () -> busy(node, APP) == 0);
        }
    }

    @Test
    void limitIsPassedOnToTheShards() {
        TestClusters.sql(SHARDS, "alter sequence sent restart");
        router.allShards()
                .limit(3)
                .query(Query.of("select nextval('sent') from generate_series(1, 100000)"), row -> 1)
                .blockLast(TIMEOUT);

        for (ShardNode node : SHARDS.nodes()) {
            assertThat(number(node, "select last_value from sent")).isLessThanOrEqualTo(3);
        }
    }

    @Test
    void demandReachesEveryCursor() {
        TestClusters.sql(SHARDS, "alter sequence sent restart");
        Query rows = Query.of("select nextval('sent') as n from generate_series(1, $1)", 10_000_000)
                .fetchSize(100);

        StepVerifier.create(router.allShards().sortedBy(asc("n")).query(rows, row -> 1), 10)
                .expectNextCount(10)
                .thenAwait(Duration.ofMillis(300))
                .then(() -> {
                    for (ShardNode node : SHARDS.nodes()) {
                        assertThat(number(node, "select last_value from sent"))
                                .as("rows that %s has made: one portion", node.name())
                                .isEqualTo(100);
                    }
                })
                .thenCancel()
                .verify(TIMEOUT);
    }

    @Test
    void shardThatDeliversOutOfOrderIsAnError() {
        StepVerifier.create(router.allShards()
                        .sortedBy(asc("id"))
                        .query(
                                Query.of("select id from items order by (id = 1000), id"),
                                row -> row.get(0, Long.class)))
                .thenConsumeWhile(id -> true)
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(OrderViolationException.class)
                        .hasMessageContaining("shard s1 delivered a row out of order")
                        .hasMessageContaining("\"id\""))
                .verify(TIMEOUT);
    }

    @Test
    void shardsThatSortAnEnumDifferentlyAreAnError() {
        TestClusters.sql(SHARDS, "drop type if exists mood");
        TestClusters.sql(SHARDS.node(0), "create type mood as enum ('sad', 'ok', 'happy')");
        TestClusters.sql(SHARDS.node(1), "create type mood as enum ('sad', 'ok', 'happy')");
        TestClusters.sql(SHARDS.node(2), "create type mood as enum ('happy', 'ok', 'sad')");

        StepVerifier.create(router.allShards().orderBy(asc("m")).query(Query.of("select 'ok'::mood as m"), row -> 1))
                .thenConsumeWhile(row -> true)
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(OrderViolationException.class)
                        .hasMessageContaining("other rules")
                        .hasMessageContaining("mood"))
                .verify(TIMEOUT);
    }

    @Test
    void textUnderAnotherCollationIsAnErrorThatSaysWhatToDo() {
        StepVerifier.create(router.allShards()
                        .orderBy(asc("t"))
                        .query(Query.of("select 'x' collate \"en-x-icu\" as t"), row -> 1))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("en-x-icu")
                        .hasMessageContaining("collate"))
                .verify(TIMEOUT);
    }

    @Test
    void settingsThatDoNotGoTogetherAreErrors() {
        ScatterOperations all = router.allShards();
        Query items = Query.of("select id from items");
        for (ScatterOperations wrong :
                List.of(all.offset(1), all.distinct(), all.sequential().orderBy(asc("id")))) {
            StepVerifier.create(wrong.query(items, row -> 1))
                    .expectError(IllegalArgumentException.class)
                    .verify(TIMEOUT);
        }
        StepVerifier.create(all.onFailure(FailurePolicy.quorum(4)).query(items, row -> 1))
                .expectErrorMessage("a quorum of 4 shards cannot be had from a call to 3")
                .verify(TIMEOUT);
        StepVerifier.create(all.orderBy(asc("no_such")).query(items, row -> 1))
                .expectErrorSatisfies(error -> assertThat(error).hasMessageContaining("no_such"))
                .verify(TIMEOUT);
    }

    @Test
    void sequentialReadsOneShardAfterTheOther() {
        List<Gathered<Long>> all = router.allShards()
                .sequential()
                .gather(Query.of("select id from items"), row -> row.get(0, Long.class))
                .collectList()
                .block(TIMEOUT);

        List<ShardId> shards = all.stream()
                .filter(Gathered.Row.class::isInstance)
                .map(row -> ((Gathered.Row<Long>) row).shard())
                .toList();
        assertThat(shards)
                .isSorted()
                .hasSize(expected(new SortKey[] {asc("id")}, "").size());
    }

    @Test
    void failingShardIsLeftOutOfAnOrderOnBestEffort() {
        cluster.warmup().block(TIMEOUT);
        List<Gathered<Long>> all = router.allShards()
                .orderBy(asc("id"))
                .onFailure(FailurePolicy.quorum(2))
                .shardTimeout(Duration.ofSeconds(1))
                .gather(
                        Query.of("select id from items where id % 3 <> 1 or pg_sleep(15) is not null"),
                        row -> row.get(0, Long.class))
                .collectList()
                .block(Duration.ofSeconds(3));

        List<Long> rows = all.stream()
                .filter(Gathered.Row.class::isInstance)
                .map(row -> ((Gathered.Row<Long>) row).value())
                .toList();
        assertThat(rows)
                .isEqualTo(expected(new SortKey[] {asc("id")}, "").stream()
                        .filter(id -> id % 3 != 1)
                        .toList());
        ScatterManifest manifest = ((Gathered.Manifest<Long>) all.get(all.size() - 1)).manifest();
        assertThat(manifest.isComplete()).isFalse();
        assertThat(manifest.missing()).containsExactly(ShardId.of("s1"));
        assertThat(manifest.outcomes().get(1)).isInstanceOf(ShardOutcome.TimedOut.class);
    }

    /** Shards that fail at the same moment: what is left must not look like the whole answer, here of the third shard. */
    @Test
    @Tag("undisturbed")
    void failuresAtTheSameMomentNeverLeaveAnAnswerWithoutTheirRows() {
        TestClusters.sql(
                SHARDS,
                "create or replace function hangs(n int, from_ int) returns boolean language plpgsql volatile as"
                        + " 'begin if n >= from_ then perform pg_sleep(10); end if; return true; end'");
        TestClusters.sql(SHARDS, "create table if not exists d (id int primary key)");
        TestClusters.sql(SHARDS, "truncate d");
        TestClusters.sql(SHARDS.node(0), "insert into d select n from generate_series(1000, 1100) n");
        TestClusters.sql(SHARDS.node(1), "insert into d select n from generate_series(0, 5) n");
        TestClusters.sql(SHARDS.node(2), "insert into d select n from generate_series(10, 300) n");
        Flux<Integer> call = router.allShards()
                .orderBy(asc("id"))
                .limit(20)
                .deadline(Duration.ofMillis(60))
                .query(
                        Query.of("select id from d where hangs(id, 1005) and (id > 5 or hangs(id, 0))")
                                .fetchSize(3),
                        row -> row.get(0, Integer.class));
        for (int i = 0; i < 120; i++) {
            StepVerifier.create(call)
                    .thenConsumeWhile(id -> true)
                    .expectError(CallTimeoutException.class)
                    .verify(TIMEOUT);
        }
    }

    @Test
    @Tag("undisturbed")
    void deadlineHoldsForShardsWhoseTurnComesAfterIt() {
        Query slow = Query.of("select 1 as n, pg_sleep(3)");
        for (ScatterOperations oneByOne : List.of(
                router.allShards().concurrency(1),
                router.allShards().sequential(),
                router.allShards().orderBy(asc("n")).concurrency(1))) {
            long start = System.nanoTime();
            oneByOne.onFailure(FailurePolicy.BEST_EFFORT)
                    .deadline(Duration.ofMillis(300))
                    .query(slow, row -> 1)
                    .onErrorComplete()
                    .blockLast(TIMEOUT);
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(1));
        }
    }

    @Test
    void newLabelOfAnEnumIsKnownAfterOneError() {
        TestClusters.sql(SHARDS, "drop table if exists labelled; drop type if exists label");
        TestClusters.sql(SHARDS, "create type label as enum ('a', 'b'); create table labelled (l label, x int)");
        TestClusters.sql(SHARDS, "insert into labelled values ('a', 1)");
        Aggregation sum = Aggregation.groupBy("l").sum("x", "x");
        Query all = Query.of("select l, x from labelled");
        Flux<?> groups = router.allShards().aggregate(all, sum);
        Flux<?> sorted = router.allShards().orderBy(asc("l")).query(all, row -> 1);
        groups.blockLast(TIMEOUT);
        sorted.blockLast(TIMEOUT);
        TestClusters.sql(SHARDS, "alter type label add value 'c'");
        TestClusters.sql(SHARDS.node(2), "insert into labelled values ('c', 2)");

        for (Flux<?> call : List.of(groups, sorted)) {
            call.onErrorComplete().blockLast(TIMEOUT);
            StepVerifier.create(call.then()).expectComplete().verify(TIMEOUT);
        }
    }

    @Test
    void parametersOfOtherTypesAreAskedAboutAgain() {
        for (Object value : List.of(1L, "a", 2L, "b")) {
            StepVerifier.create(router.allShards()
                            .orderBy(SortKey.asc("x").collateC())
                            .query(Query.of("select coalesce($1)::text as x", value), row -> row.get(0, String.class)))
                    .expectNextCount(3)
                    .expectComplete()
                    .verify(TIMEOUT);
        }
    }

    @Test
    void limitDoesNotTakeThePlaceOfAParameterThatIsMissing() {
        Query missing = Query.of("select id from items where id >= $1 and id <= $2", 3);
        for (ScatterOperations limited : List.of(
                router.allShards().limit(5),
                router.allShards().orderBy(asc("id")).limit(7))) {
            limited.query(Query.of(missing.sql(), 3, 9), row -> 1).blockLast(TIMEOUT);
            StepVerifier.create(limited.query(missing, row -> 1)).expectError().verify(TIMEOUT);
        }
    }

    @Test
    void policyThatToleratesLessThanNothingIsAnError() {
        StepVerifier.create(router.allShards().onFailure(shards -> -1).query(Query.of("select no_such"), row -> 1))
                .expectError(IllegalArgumentException.class)
                .verify(TIMEOUT);
    }

    @Test
    void quorumThatIsMissedIsAnError() {
        StepVerifier.create(router.allShards()
                        .orderBy(asc("id"))
                        .onFailure(FailurePolicy.quorum(3))
                        .query(Query.of("select id / (id % 3 - 1) as id from items"), row -> 1))
                .thenConsumeWhile(row -> true)
                .expectError()
                .verify(TIMEOUT);
    }

    /** Merges hold a connection of each shard at the same time; taken in different orders they would wait for each other. */
    @Test
    void mergesOverPoolsOfOneConnectionAllFinish() {
        ShardCluster small = TestClusters.over(SHARDS, APP)
                .pool(PoolSettings.DEFAULTS.withMaxSize(1).withAcquireTimeout(Duration.ofSeconds(15)))
                .build();
        try {
            ShardRouter items = small.router(Keyspace.named("items").key("id").strategy(ShardingStrategy.modulo()));
            Random random = new Random(5);
            List<Mono<Long>> calls = new ArrayList<>();
            for (int i = 0; i < 60; i++) {
                List<ShardKey> keys = new ArrayList<>(List.of(ShardKey.of(0), ShardKey.of(1), ShardKey.of(2)));
                Collections.shuffle(keys, random);
                calls.add(items.shards(keys)
                        .orderBy(desc("id"))
                        .query(Query.of("select id from items").fetchSize(64), row -> row.get(0, Long.class))
                        .count());
            }
            int each = expected(new SortKey[] {asc("id")}, "").size();

            assertThat(Flux.merge(Flux.fromIterable(calls), 60).collectList().block(TIMEOUT))
                    .hasSize(60)
                    .containsOnly((long) each);
        } finally {
            small.close().block(TIMEOUT);
        }
    }

    @Test
    @Tag("undisturbed")
    void shardsBeginInTurnsOfTheConcurrency() {
        cluster.warmup().block(TIMEOUT);
        Query slow = Query.of("select 1 as n, pg_sleep(0.2)");
        // So that all servers have been asked how they sort.
        router.allShards().orderBy(asc("n")).query(slow, row -> 1).blockLast(TIMEOUT);

        assertThat(time(router.allShards().orderBy(asc("n")).concurrency(1), slow))
                .isGreaterThan(Duration.ofMillis(590));
        assertThat(time(router.allShards().orderBy(asc("n")).concurrency(3), slow))
                .isLessThan(Duration.ofMillis(390));
    }

    private static Duration time(ScatterOperations operations, Query query) {
        long start = System.nanoTime();
        operations.query(query, row -> 1).blockLast(TIMEOUT);
        return Duration.ofNanos(System.nanoTime() - start);
    }

    @Test
    @Tag("undisturbed")
    void deadlineIsForTheWholeCall() {
        // Every row comes in time, all of them do not, and the subscriber is slow as well.
        Flux<Gathered<Long>> rows = router.allShards()
                .orderBy(asc("id"))
                .deadline(Duration.ofMillis(500))
                .onFailure(FailurePolicy.BEST_EFFORT)
                .gather(
                        Query.of("select id from items where id % 3 = 0 or pg_sleep(0.02) is not null")
                                .fetchSize(1),
                        row -> row.get(0, Long.class));
        long start = System.nanoTime();
        List<Gathered<Long>> all = rows.collectList().block(TIMEOUT);

        assertThat(Duration.ofNanos(System.nanoTime() - start))
                .isBetween(Duration.ofMillis(490), Duration.ofSeconds(3));
        ScatterManifest manifest = ((Gathered.Manifest<Long>) all.get(all.size() - 1)).manifest();
        assertThat(manifest.missing()).contains(ShardId.of("s1"), ShardId.of("s2"));
        StepVerifier.create(router.allShards()
                        .deadline(Duration.ofMillis(300))
                        .query(Query.of("select pg_sleep(15)"), row -> 1))
                .expectErrorSatisfies(error -> assertThat(error).hasMessageContaining("PT0.3S of the whole call"))
                .verify(Duration.ofSeconds(5));
    }

    @Test
    void reductionFoldsTheRowsOfAllShards() {
        long sum = router.allShards()
                .reduce(Query.of("select id from items"), row -> row.get(0, Long.class), () -> 0L, Long::sum, Long::sum)
                .block(TIMEOUT);

        assertThat(sum).isEqualTo(number(SHARDS.node(0), "select sum(id) from everything"));
    }

    /** Twice: the second call knows the types. */
    @Test
    void aggregationIsThatOfOneServer() {
        Aggregation byGrade = Aggregation.groupBy("grade")
                .count("n")
                .sum("small", "total")
                .avg("exact", "mean")
                .countDistinct("name", "names")
                .max("at_", "latest")
                .having(group -> group.get("n", Long.class) > 10)
                .orderBy(desc("n"), asc("grade"));
        List<String> expected = cluster.shard(ShardId.of("s0"))
                .query(
                        Query.of(
                                "select grade::text, count(*), sum(small)::text, avg(exact)::text, count(distinct name)"
                                        + " from everything group by grade having count(*) > 10 order by 2 desc, everything.grade"),
                        row -> row.get(0, String.class) + " " + row.get(1, Long.class) + " " + row.get(2, String.class)
                                + " " + row.get(3, String.class) + " " + row.get(4, Long.class))
                .collectList()
                .block(TIMEOUT);
        for (int i = 0; i < 2; i++) {
            assertThat(router.allShards()
                            .aggregate(Query.of("select * from items;"), byGrade)
                            .map(group -> group.get("grade") + " " + group.get("n") + " " + group.get("total") + " "
                                    + group.get("mean") + " " + group.get("names"))
                            .collectList()
                            .block(TIMEOUT))
                    .isEqualTo(expected)
                    .hasSize(4);
        }
        StepVerifier.create(router.allShards()
                        .aggregate(
                                Query.of("select * from items where id > $1", 1_000_000),
                                Aggregation.ofAll().count("n").sum("small", "total")))
                .expectNextMatches(row -> row.get("n", Long.class) == 0 && row.get("total") == null)
                .expectComplete()
                .verify(TIMEOUT);
        StepVerifier.create(router.allShards().aggregate(Query.of("select 1 / (id - 1) as x from items"), ALL_X))
                .expectErrorSatisfies(error ->
                        assertThat(((R2dbcException) error).getSqlState()).isEqualTo("22012"))
                .verify(TIMEOUT);
    }

    private static final Aggregation ALL_X = Aggregation.ofAll().sum("x", "x");

    @Test
    void lookupAsksEachShardForItsOwnKeys() {
        List<ShardKey> keys = LongStream.of(7, 2, 2_998, 9, 2, 77_777, 400_000)
                .mapToObj(ShardKey::of)
                .toList();
        Query query = Query.of("select id from items where id = any($2) and id > $1", 0);

        assertThat(ids(router.lookup(keys), query)).containsExactlyInAnyOrder(7L, 2L, 2_998L, 9L);
        assertThat(ids(router.lookupInOrder(keys), query)).containsExactly(7L, 2L, 2_998L, 9L, 2L);
        assertThat(ids(router.lookup(keys).orderBy(desc("id")).limit(2), query)).containsExactly(2_998L, 9L);
    }

    private static List<Long> ids(ScatterOperations operations, Query query) {
        return operations
                .query(query, row -> row.get("id", Long.class))
                .collectList()
                .block(TIMEOUT);
    }
}
