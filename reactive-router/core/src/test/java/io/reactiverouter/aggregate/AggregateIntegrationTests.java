package io.reactiverouter.aggregate;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.awaitQuiet;
import static io.reactiverouter.TestClusters.sql;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.TestClusters;
import io.reactiverouter.order.SortKey;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.ShardId;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import reactor.test.StepVerifier;

/** Order, limits, demand and refusals of aggregations. */
@NullUnmarked
class AggregateIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3);

    private static final String APP = "aggregate-tests";

    /** 100000 groups, the same on each shard. */
    private static final String MANY = "select n as g, n % 10 as v from generate_series(1, 100000) n";

    private static ShardCluster cluster;

    private AggregateShards shards;

    @BeforeAll
    static void fill() {
        cluster = TestClusters.over(SHARDS, APP).build();
        sql(SHARDS, "create table orders (region text, user_id int, amount numeric, at timestamptz, note text)");
        sql(SHARDS.node(0), "insert into orders values ('north', 1, 10.00, now(), 'x'), ('south', 1, 5, now(), 'y')");
        sql(SHARDS.node(1), "insert into orders values ('north', 2, 2.5, now(), 'z'), (null, 3, 7, now(), 'x')");
        sql(SHARDS.node(1), "insert into orders values ('east', 1, null, null, null)");
    }

    @BeforeEach
    void count() {
        shards = new AggregateShards(cluster);
    }

    @AfterEach
    void nothingIsLeftBehind() {
        awaitQuiet(cluster, SHARDS, APP);
    }

    @AfterAll
    static void close() {
        cluster.close().block(TIMEOUT);
    }

    @Test
    void groupsComeInOrderWithNullLast() {
        Aggregation aggregation = Aggregation.groupBy("region")
                .count("orders")
                .sum("amount", "total")
                .countDistinct("user_id", "users");

        assertThat(shards.rows(aggregation, "select * from orders where amount > $1 or amount is null -- all", 0))
                .extracting(AggregateRow::toString)
                .containsExactly(
                        "AggregateRow[region=east, orders=1, total=null, users=1]",
                        "AggregateRow[region=north, orders=2, total=12.50, users=2]",
                        "AggregateRow[region=south, orders=1, total=5, users=1]",
                        "AggregateRow[region=null, orders=1, total=7, users=1]");
    }

    @Test
    void orderByResultsAndLimit() {
        Aggregation aggregation = Aggregation.groupBy("region").sum("amount", "total");

        assertThat(regions(aggregation.orderBy(SortKey.desc("total")))).containsExactly("east", "north", null, "south");
        assertThat(regions(
                        aggregation.orderBy(SortKey.desc("total").nullsLast()).limit(2)))
                .containsExactly("north", null);
        assertThat(regions(aggregation.orderBy(
                        SortKey.asc("total"), SortKey.asc("region").collateC())))
                .containsExactly("south", null, "north", "east");
        assertThat(regions(
                        aggregation.orderBy(SortKey.desc("region").collateC()).limit(3)))
                .containsExactly(null, "south", "north");
        assertThat(regions(
                        aggregation.having(group -> group.get("total") != null).limit(2)))
                .containsExactly("north", "south");
    }

    @Test
    void orderByExtremesAndTies() {
        Aggregation aggregation = Aggregation.groupBy("region")
                .max("at", "latest")
                .min("user_id", "first")
                .orderBy(
                        SortKey.desc("first"), SortKey.desc("region").collateC().nullsLast());

        assertThat(regions(aggregation)).containsExactly(null, "south", "north", "east");
    }

    private List<String> regions(Aggregation aggregation) {
        return shards
                .run(aggregation, "select * from orders")
                .map(row -> java.util.Optional.ofNullable(row.get("region", String.class)))
                .collectList()
                .block(TIMEOUT)
                .stream()
                .map(region -> region.orElse(null))
                .toList();
    }

    @Test
    void groupsOrDistinctCombinationsWithoutAggregates() {
        assertThat(shards.rows(Aggregation.groupBy("user_id"), "select user_id from orders"))
                .extracting(row -> row.get("user_id", Integer.class))
                .containsExactly(1, 2, 3);
    }

    @Test
    void demandReachesTheShards() {
        Aggregation aggregation = Aggregation.groupBy("g").count("n").sum("v", "s");

        StepVerifier.create(shards.run(aggregation, MANY), 1)
                .expectNextMatches(row -> row.get("g", Integer.class) == 1 && row.get("n", Long.class) == 3)
                .thenAwait(Duration.ofMillis(300))
                .then(() -> assertThat(shards.read).hasValueLessThan(1_000))
                .thenRequest(10)
                .expectNextCount(10)
                .thenAwait(Duration.ofMillis(300))
                .then(() -> assertThat(shards.read).hasValueLessThan(1_000))
                .thenCancel()
                .verify(TIMEOUT);
    }

    @Test
    void limitStopsTheShards() {
        assertThat(shards.rows(Aggregation.groupBy("g").count("n").limit(5), MANY))
                .hasSize(5);
        assertThat(shards.read).hasValueLessThan(1_000);
    }

    @Test
    void manyDistinctValuesStreamWhileOneGroupHasFew() {
        Aggregation aggregation =
                Aggregation.groupBy("g").countDistinct("v", "values").maxDistinct(1);

        assertThat(shards.run(aggregation, MANY).count().block(TIMEOUT)).isEqualTo(100_000);
    }

    @Test
    void distinctValuesAreLimited() {
        Aggregation aggregation = Aggregation.ofAll().countDistinct("g", "values");

        StepVerifier.create(shards.run(aggregation.maxDistinct(999), MANY))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOfSatisfying(AggregateLimitException.class, limit -> {
                            assertThat(limit.limitName()).isEqualTo("maxDistinct");
                            assertThat(limit.limit()).isEqualTo(999);
                        })
                        .hasMessageContaining("maxDistinct is 999")
                        .hasMessageContaining("raise Aggregation.maxDistinct"))
                .verify(TIMEOUT);
        assertThat(shards.read).hasValueLessThan(10_000);
        assertThat(shards.rows(aggregation.maxDistinct(100_000), MANY))
                .extracting(row -> row.get("values", Long.class))
                .containsExactly(100_000L);
    }

    @Test
    void groupsInMemoryAreLimited() {
        Aggregation aggregation = Aggregation.groupBy("g")
                .sum("v", "s")
                .orderBy(SortKey.desc("s"))
                .maxGroups(50);

        StepVerifier.create(shards.run(aggregation, MANY))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(AggregateLimitException.class)
                        .hasMessageContaining("maxGroups is 50")
                        .hasMessageContaining("raise Aggregation.maxGroups"))
                .verify(TIMEOUT);
        // The best of all groups need no more memory than there are of them.
        assertThat(shards.rows(aggregation.limit(3), MANY))
                .extracting(row -> row.get("g", Integer.class))
                .containsExactly(9, 19, 29);
    }

    @Test
    void oneMergeServesManySubscribers() {
        var groups = shards.run(Aggregation.groupBy("region").count("n"), "select * from orders");

        assertThat(groups.count().block(TIMEOUT)).isEqualTo(4);
        assertThat(groups.count().block(TIMEOUT)).isEqualTo(4);
    }

    @Test
    void overflowIsThatOfOneDatabase() {
        String query = "select 1.7e308::float8 as d, '3e38'::real as r";

        for (String column : List.of("d", "r")) {
            assertThatExceptionOfType(AggregateOverflowException.class)
                    .isThrownBy(() -> shards.rows(Aggregation.ofAll().sum(column, "s"), query))
                    .satisfies(error -> assertThat(error.getSqlState()).isEqualTo("22003"));
        }
        StepVerifier.create(cluster.shard(ShardId.of("s0"))
                        .query(
                                Query.of("select sum(d) from (" + query + " union all " + query + ") q"),
                                row -> row.get(0, Double.class)))
                .expectErrorSatisfies(error -> assertThat(((R2dbcException) error).getSqlState())
                        .isEqualTo(AggregateOverflowException.SQL_STATE))
                .verify(TIMEOUT);
        // bigint is summed as numeric, which has room.
        assertThat(shards.rows(Aggregation.ofAll().sum("i", "s"), "select 9223372036854775807 as i")
                        .get(0)
                        .get("s", BigDecimal.class))
                .isEqualTo(new BigDecimal("27670116110564327421"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "select interval '1 day' as v | sum(v) as x is of type interval",
                "select 1::money as v | sum(v) as x is of type money",
            })
    void typesWhoseSumsCannotBeMergedAreRefused(String query, String message) {
        refused(Aggregation.ofAll().sum("v", "x"), query, message);
    }

    @Test
    void textsWithoutCodePointOrderHaveNoExtremes() {
        String query = "select note collate \"en-x-icu\" as note from orders";

        refused(Aggregation.ofAll().min("note", "x"), query, "min(note) as x cannot be merged", "collate \"C\"");
        refused(
                Aggregation.groupBy("note").orderBy(SortKey.asc("note")),
                query,
                "groups cannot be merged",
                "collateC()");
        assertThat(shards.rows(Aggregation.ofAll().min("note", "x"), "select note collate \"C\" as note from orders")
                        .get(0)
                        .get("x"))
                .isEqualTo("x");
        assertThat(shards.rows(Aggregation.groupBy("note").count("n"), query)).hasSize(4);
    }

    @Test
    void collationsUnderWhichDifferentTextsAreEqualAreRefused() {
        sql(
                SHARDS,
                "create collation if not exists ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)");
        String query = "select note collate ci as note from orders";

        refused(Aggregation.groupBy("note").count("n"), query, "column note has a collation");
        refused(Aggregation.ofAll().countDistinct("note", "n"), query, "column note has a collation");
        assertThat(shards.rows(Aggregation.ofAll().count("note", "n"), query)
                        .get(0)
                        .get("n"))
                .isEqualTo(4L);
    }

    @Test
    void shardsThatDisagreeAreRefused() {
        sql(SHARDS, "create table uneven (v int)");
        sql(SHARDS.node(2), "alter table uneven alter v type bigint");
        sql(SHARDS.node(1), "create type level as enum ('low', 'high')");
        sql(SHARDS.node(0), "create type level as enum ('high', 'low')");
        sql(SHARDS.node(2), "create type level as enum ('low', 'high')");

        refused(Aggregation.ofAll().sum("v", "s"), "select v from uneven", "[bigint]", "[numeric]");
        refused(Aggregation.groupBy("l"), "select 'low'::level as l", "shards compare values differently");
    }

    private void refused(Aggregation aggregation, String query, String... messages) {
        assertThatExceptionOfType(UnsupportedAggregateException.class)
                .isThrownBy(() -> shards.rows(aggregation, query))
                .satisfies(error -> assertThat(error.getMessage()).contains(messages));
    }

    @ParameterizedTest
    @CsvSource({"nowhere, 42703", "at, 42883"})
    void whatTheServerRefusesItRefusesItself(String column, String state) {
        StepVerifier.create(cluster.shard(ShardId.of("s0"))
                        .withConnection(connection -> AggregatePlan.describe(
                                connection,
                                "select * from orders",
                                new Object[0],
                                Aggregation.ofAll().sum(column, "s"))))
                .expectErrorSatisfies(error ->
                        assertThat(((R2dbcException) error).getSqlState()).isEqualTo(state))
                .verify(TIMEOUT);
    }

    @Test
    void namesAreTakenAsTheyAre() {
        Aggregation aggregation = Aggregation.groupBy("a \"b\"; --")
                .countDistinct("V", "#1")
                .avg("V", "#2")
                .max("V", "select");

        assertThat(shards.rows(aggregation, "select 1 as \"a \"\"b\"\"; --\", 2 as \"V\";"))
                .extracting(AggregateRow::toString)
                .containsExactly("AggregateRow[a \"b\"; --=1, #1=1, #2=2.0000000000000000, select=2]");
    }

    @Test
    void domainsAreTheirBaseTypes() {
        sql(SHARDS, "create domain price as numeric(10, 2)");
        Aggregation aggregation = Aggregation.groupBy("p").max("p", "most").countDistinct("p", "n");

        assertThat(shards.rows(aggregation, "select 0.00::price as p"))
                .extracting(AggregateRow::toString)
                .containsExactly("AggregateRow[p=0.00, most=0.00, n=1]");
    }
}
