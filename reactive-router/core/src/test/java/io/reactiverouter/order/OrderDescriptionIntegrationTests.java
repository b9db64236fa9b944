package io.reactiverouter.order;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactories;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.R2dbcBadGrammarException;
import io.r2dbc.spi.Row;
import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardOperations;
import io.reactiverouter.TestClusters;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.Shard;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.assertj.core.api.ThrowableAssertAlternative;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What a server says of an order, and which orders are refused. */
@NullUnmarked
class OrderDescriptionIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(2);

    private static final List<ShardCluster> CLUSTERS = new ArrayList<>();
    private static final Map<String, ShardOperations> SHARDS_BY_NAME = new HashMap<>();

    @BeforeAll
    static void open() throws SQLException {
        TestClusters.sql(
                SHARDS,
                "create table goods (id bigint primary key, name text, code varchar(20) collate \"C\", amount numeric,"
                        + " tags text[], doc jsonb, at timestamptz, ratio real, span interval, raw bytea, day date);"
                        + " create sequence steps");
        TestClusters.sql(SHARDS.node(0), "create type size as enum ('small', 'large')");
        TestClusters.sql(SHARDS.node(1), "create type size as enum ('large', 'small')");
        add("s0", SHARDS.node(0).r2dbcUrl());
        add("s1", SHARDS.node(1).r2dbcUrl());
        database("latin", "encoding 'LATIN1' locale 'C' locale_provider libc template template0");
        database("libc_c", "encoding 'UTF8' locale 'C' locale_provider libc template template0");
        add("round", SHARDS.node(0).r2dbcUrl() + "?options=extra_float_digits%3D0");
    }

    private static void database(String name, String options) throws SQLException {
        try (java.sql.Connection connection = SHARDS.node(0).openSuperuserJdbc();
                Statement statement = connection.createStatement()) {
            statement.execute("create database " + name + " " + options);
        }
        add(name, url(name));
    }

    private static String url(String database) {
        return SHARDS.node(0).r2dbcUrl().replaceFirst("/[^/?]*$", "/" + database);
    }

    private static void add(String name, String url) {
        ShardCluster cluster =
                ShardCluster.builder().shard(Shard.named("s").primary(url)).build();
        CLUSTERS.add(cluster);
        SHARDS_BY_NAME.put(
                name,
                cluster.router(Keyspace.named("goods").key("id").tables("goods"))
                        .shard(ShardKey.of(1)));
    }

    @AfterAll
    static void close() {
        CLUSTERS.forEach(cluster -> cluster.close().block(TIMEOUT));
    }

    private static SortPlan describe(String sql, SortKey... keys) {
        return describe("s0", sql, new Object[0], keys);
    }

    private static SortPlan describe(String shard, String sql, Object[] parameters, SortKey... keys) {
        return with(shard, connection -> SortPlan.describe(connection, sql, parameters, List.of(keys)));
    }

    private static <T> T with(String shard, Function<Connection, Mono<T>> work) {
        return SHARDS_BY_NAME.get(shard).withConnection(work).block(TIMEOUT);
    }

    private static ThrowableAssertAlternative<SortOrderException> refused(String sql, SortKey... keys) {
        return assertThatExceptionOfType(SortOrderException.class).isThrownBy(() -> describe(sql, keys));
    }

    @Test
    void orderIsSpelledOutInSql() {
        SortPlan plan = describe(
                "select amount, name, code as \"the \"\"code\" from goods",
                SortKey.desc("amount").nullsLast(),
                SortKey.asc("name").collateC(),
                SortKey.asc("the \"code").nullsFirst());
        assertThat(plan.orderBy("q"))
                .isEqualTo("order by q.\"amount\" desc nulls last, q.\"name\" collate \"C\" asc nulls last,"
                        + " q.\"the \"\"code\" asc nulls first");
        assertThat(plan.expression(1, "q")).isEqualTo("q.\"name\" collate \"C\"");
        assertThat(plan.keys()).hasSize(3);
        assertThat(plan.typeName(0)).isEqualTo("pg_catalog.numeric");
    }

    @Test
    void queryIsNotRun() {
        describe(
                "select id / 0 as id, pg_sleep(60)::text as name, nextval('steps') as step from goods, (select pg_sleep(60)) s",
                SortKey.asc("id"),
                SortKey.asc("step"));
        describe("with x as (select nextval('steps') as id, pg_sleep(60)) select id from x", SortKey.asc("id"));
        describe("select id from goods for update", SortKey.asc("id"));
        assertThat(TestClusters.number(SHARDS.node(0), "select case when is_called then 1 else 0 end from steps"))
                .isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void planOfTheServerHasNoQuery(boolean columns) {
        String sql = "select id, name from goods where amount > 1";
        List<String> plan = with("s0", connection -> {
            SortDescription description =
                    new SortDescription(connection, sql, new Object[0], List.of(SortKey.asc("id")));
            return Flux.from(connection
                            .createStatement("explain (costs off) "
                                    + (columns ? description.columnsSql() : description.typesSql(Set.of("name"))))
                            .execute())
                    .concatMap(result -> result.map((row, metadata) -> row.get(0, String.class)))
                    .collectList();
        });
        assertThat(plan).anyMatch(line -> line.contains("One-Time Filter: false"));
        assertThat(plan).noneMatch(line -> line.contains("goods"));
    }

    @Test
    void parametersAreThoseOfTheQuery() {
        String sql = "select id + $1 as id from goods where name = $2 -- by name";
        assertThat(describe("s0", sql, new Object[] {1L, null}, SortKey.asc("id")))
                .isEqualTo(describe("select id from goods", SortKey.asc("id")));
        assertThatExceptionOfType(SortOrderException.class)
                .isThrownBy(() -> describe("s0", sql, new Object[] {1L}, SortKey.asc("id")))
                .withMessageContaining("more parameters than the 1");
        assertThatExceptionOfType(SortOrderException.class)
                .isThrownBy(() -> describe("s0", sql, new Object[0], SortKey.asc("id")))
                .withMessageContaining("more parameters than the 0");
        assertThatExceptionOfType(SortOrderException.class)
                .isThrownBy(() -> describe("s0", sql, new Object[] {1L, "a", "b"}, SortKey.asc("id")))
                .withMessageContaining("there is no $3");
        assertThatExceptionOfType(SortOrderException.class)
                .isThrownBy(() ->
                        describe("s0", sql, new Object[] {1L, new AtomicReference<>("secret")}, SortKey.asc("id")))
                .withMessageContaining("$2")
                .withMessageNotContaining("secret")
                .withNoCause();
    }

    @Test
    void columnsMustBeThereOnceAndBeNamedOnce() {
        refused("select id, name from goods", SortKey.asc("ID"))
                .withMessageContaining("\"ID\" is no column")
                .withMessageContaining("[id, name]");
        refused("select id, name as id from goods", SortKey.asc("id")).withMessageContaining("2 columns");
        refused("select id from goods", SortKey.asc("id"), SortKey.desc("id")).withMessageContaining("named twice");
        refused("select id from goods").withMessageContaining("at least one");
        assertThatExceptionOfType(R2dbcBadGrammarException.class)
                .isThrownBy(() -> describe("select nothing from goods", SortKey.asc("id")));
    }

    @ParameterizedTest
    @CsvSource({"tags,text[]", "doc,jsonb", "pair,record", "zoned,time with time zone", "range,int4range"})
    void otherTypesAreRefused(String column, String type) {
        refused(
                        "select tags, doc, row(1, 2) as pair, timetz '12:00+01' as zoned, int4range(1, 2) as range from goods",
                        SortKey.asc(column))
                .withMessageContaining("\"" + column + "\" is of type " + type)
                .withMessageContaining("smallint, integer, bigint")
                .withMessageContaining("domains");
    }

    @Test
    void textMustSortByCodePoint() {
        TestClusters.sql(
                SHARDS.node(0),
                "create collation libc_c (provider = libc, locale = 'C');"
                        + " create collation own (provider = builtin, locale = 'C.UTF-8');"
                        + " create collation system_utf8 (provider = libc, locale = 'C.UTF-8')");
        SortPlan expected = describe("select name from goods", SortKey.asc("name"));
        for (String collation : List.of("\"C\"", "\"POSIX\"", "ucs_basic", "libc_c", "own", "\"default\"")) {
            assertThat(describe("select name collate " + collation + " as name from goods", SortKey.asc("name")))
                    .as(collation)
                    .isEqualTo(expected);
        }
        refused("select name collate system_utf8 as name from goods", SortKey.asc("name"))
                .withMessageContaining("system_utf8")
                .withMessageContaining("collateC()")
                .withMessageContaining("collate \"C\"");
        refused(
                        "select a || b as x from (select name collate own as a, name collate \"POSIX\" as b from goods) s",
                        SortKey.asc("x"))
                .withMessageContaining("no collation that the server can tell");
        SortPlan plan = describe(
                "select name collate system_utf8 as name from goods",
                SortKey.asc("name").collateC());
        assertThat(plan.orderBy("q")).contains("collate \"C\"");
        refused("select id from goods", SortKey.asc("id").collateC()).withMessageContaining("no collation");
        SortKey either = new SortKey("id", SortKey.Direction.ASC, SortKey.Nulls.LAST, SortKey.Collation.C_IF_TEXT);
        assertThat(describe("select id from goods", either).orderBy("q")).doesNotContain("collate");
    }

    @Test
    void encodingAndLocaleOfTheDatabaseCount() {
        // The router's own connections are refused by such a server.
        String sql = "select 'a'::text as x, 1 as y";
        ConnectionFactory latin = ConnectionFactories.get(url("latin"));
        Function<String, SortPlan> describe = column -> Mono.usingWhen(
                        latin.create(),
                        connection -> SortPlan.describe(connection, sql, new Object[0], List.of(SortKey.asc(column))),
                        Connection::close)
                .block(TIMEOUT);
        assertThatExceptionOfType(SortOrderException.class)
                .isThrownBy(() -> describe.apply("x"))
                .withMessageContaining("LATIN1");
        assertThat(describe.apply("y")).isNotNull();
        assertThat(describe("libc_c", "select 'a'::text as x", new Object[0], SortKey.asc("x")))
                .isNotNull();
    }

    @Test
    void plansAreEqualWhenTheOrderIs() {
        String small = "select 'small'::size as x";
        SortPlan first = describe("s0", small, new Object[0], SortKey.asc("x"));
        SortPlan second = describe("s1", small, new Object[0], SortKey.asc("x"));
        assertThat(first).isNotEqualTo(second);
        assertThat(first).hasToString("SortPlan[\"x\" public.size (small < large) asc nulls last]");
        assertThat(first)
                .isEqualTo(describe("s0", small, new Object[0], SortKey.asc("x")))
                .hasSameHashCodeAs(describe("s0", small, new Object[0], SortKey.asc("x")));
        assertThat(describe("select 1::int2 as x", SortKey.asc("x")))
                .isEqualTo(describe("select 1::int8 as x", SortKey.asc("x")))
                .isNotEqualTo(describe("select 1::numeric as x", SortKey.asc("x")))
                .isNotEqualTo(describe("select 1::int8 as x", SortKey.desc("x")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"German", "SQL, DMY", "Postgres, MDY", "Postgres, DMY"})
    void datesInOtherStylesAreErrors(String style) {
        for (String value :
                List.of("date '2026-11-21'", "timestamp '2026-11-21 10:00'", "timestamptz '12026-11-21 10:00Z'")) {
            assertThatExceptionOfType(SortOrderException.class)
                    .isThrownBy(() -> readUnder("datestyle = '" + style + "'", value))
                    .withMessageContaining("\"x\"")
                    .withMessageContaining("datestyle ISO")
                    .withMessageNotContaining("21");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"sql_standard", "postgres_verbose", "iso_8601"})
    void intervalsInOtherStylesAreErrors(String style) {
        assertThatExceptionOfType(SortOrderException.class)
                .isThrownBy(() -> readUnder("intervalstyle = '" + style + "'", "interval '1 mon 2 days -03:04:05'"))
                .withMessageContaining("intervalstyle postgres");
    }

    @Test
    void bytesAreReadInBothStyles() {
        String value = "'\\x00ff5c5c7841'::bytea";
        assertThat(readUnder("bytea_output = 'escape'", value)).isEqualTo(readUnder("bytea_output = 'hex'", value));
        assertThat(readUnder("bytea_output = 'escape'", "'\\x5c78'::bytea")).isEqualTo("\\x5c78");
    }

    @Test
    void settingsThatChangeValuesUnseenAreRefused() {
        assertThatExceptionOfType(SortOrderException.class)
                .isThrownBy(() -> readUnder("client_encoding = 'LATIN1'", "'a'::text"))
                .withMessageContaining("client_encoding LATIN1");
        assertThatExceptionOfType(SortOrderException.class)
                .isThrownBy(() -> readUnder("extra_float_digits = 0", "0.1::float8"))
                .withMessageContaining("extra_float_digits 0");
        assertThatExceptionOfType(SortOrderException.class)
                .isThrownBy(() -> describe("round", "select ratio from goods", new Object[0], SortKey.asc("ratio")))
                .withMessageContaining("extra_float_digits 0");
    }

    /** Reads one value in a transaction with a setting and returns its text. */
    private static String readUnder(String setting, String value) {
        String sql = "select " + value + " as x";
        return SHARDS_BY_NAME
                .get("s0")
                .inTransaction(connection -> Query.of("set local " + setting)
                        .update(connection)
                        .then(SortPlan.describe(connection, sql, new Object[0], List.of(SortKey.asc("x"))))
                        .flatMap(plan -> Query.of(sql)
                                .fetch(connection, row -> plan.encode(plan.read(row))[0])
                                .single()))
                .block(TIMEOUT);
    }

    @Test
    void labelThatIsNewAndColumnThatHasChangedAreErrors() {
        TestClusters.sql(SHARDS.node(0), "create type growing as enum ('a')");
        SortPlan plan = describe("select 'a'::growing as x", SortKey.asc("x"));
        TestClusters.sql(SHARDS.node(0), "alter type growing add value 'b'");
        assertThatExceptionOfType(SortOrderException.class)
                .isThrownBy(() -> read(plan, "select 'b'::growing as x"))
                .withMessageContaining("public.growing")
                .withMessageContaining("describe the order again");
        assertThatExceptionOfType(SortOrderException.class)
                .isThrownBy(() -> read(plan, "select 1 as x"))
                .withMessageContaining("\"x\"")
                .withMessageContaining("int8");
        assertThatExceptionOfType(SortOrderException.class)
                .isThrownBy(() -> read(plan, "select 1 as y"))
                .withMessageContaining("[y]");
        assertThat(read(plan, "select 1 as y, 'a'::growing as x")).isNotNull();
        assertThat(read(plan, "select 'a'::growing as x")).isNotNull();
    }

    private static SortValues read(SortPlan plan, String sql) {
        return SHARDS_BY_NAME.get("s0").queryOne(Query.of(sql), plan::read).block(TIMEOUT);
    }

    @Test
    void codecIsForSortKeysOnly() {
        List<Object> plain = SHARDS_BY_NAME
                .get("s0")
                .queryOne(
                        Query.of("select 1::int8, 'a'::text, 'small'::size, null::numeric"),
                        row -> List.of(get(row, 0), get(row, 1), row.get(2, String.class), String.valueOf(row.get(3))))
                .block(Duration.ofSeconds(10));
        assertThat(plain).containsExactly(1L, "a", "small", "null");
        assertThatExceptionOfType(IllegalArgumentException.class)
                .isThrownBy(() -> SHARDS_BY_NAME
                        .get("s0")
                        .queryOne(Query.of("select $1", new KeyValue.Floating(1)), row -> 1)
                        .block(TIMEOUT));
    }

    private static Object get(Row row, int index) {
        return row.get(index);
    }
}
