package io.reactiverouter.order;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardOperations;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.TestClusters;
import io.reactiverouter.order.OrderCases.Case;
import io.reactiverouter.order.SortKey.Collation;
import io.reactiverouter.order.SortKey.Direction;
import io.reactiverouter.order.SortKey.Nulls;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.Shard;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Java's order of each type is the server's, whatever the form in which values travel. */
@NullUnmarked
class OrderIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(1);

    /** A zone that was off by seconds in the past. */
    private static final String TEXT = "?timeZone=America/St_Johns";

    private static final String BINARY = "?forceBinary=true";

    private static final List<Case> CASES = OrderCases.all();
    private static final Map<String, ShardRouter> ROUTERS = new HashMap<>();
    private static final List<ShardCluster> CLUSTERS = new ArrayList<>();

    @BeforeAll
    static void fill() throws SQLException {
        TestClusters.sql(SHARDS, OrderCases.TYPES);
        try (Connection connection = SHARDS.node(0).openJdbc()) {
            for (Case given : CASES) {
                TestClusters.sql(SHARDS, "create table " + given.table() + " (id int, v " + given.type() + ")");
                try (PreparedStatement insert = connection.prepareStatement("insert into " + given.table()
                        + " select n, v::" + given.type() + " from unnest(?::text[]) with ordinality u(v, n)")) {
                    insert.setArray(
                            1, connection.createArrayOf("text", given.values().toArray()));
                    insert.execute();
                }
            }
        }
        for (String options : List.of(TEXT, BINARY)) {
            String url = SHARDS.node(0).r2dbcUrl() + options;
            ShardCluster cluster =
                    ShardCluster.builder().shard(Shard.named("s0").primary(url)).build();
            CLUSTERS.add(cluster);
            ROUTERS.put(
                    options, cluster.router(Keyspace.named("orders").key("id").tables("orders")));
        }
    }

    @AfterAll
    static void close() {
        CLUSTERS.forEach(cluster -> cluster.close().block(TIMEOUT));
    }

    static Stream<Arguments> cases() {
        return CASES.stream().flatMap(given -> Stream.of(TEXT, BINARY).map(form -> Arguments.of(given, form)));
    }

    private static ShardOperations shard(String form) {
        return ROUTERS.get(form).shard(ShardKey.of(1));
    }

    private static SortPlan describe(ShardOperations shard, String sql, List<SortKey> keys) {
        return shard.withConnection(connection -> SortPlan.describe(connection, sql, new Object[0], keys))
                .block(TIMEOUT);
    }

    private record Keyed(int id, SortValues values) {}

    private static List<Keyed> rows(ShardOperations shard, SortPlan plan, String sql) {
        return shard.query(Query.of(sql).fetchSize(50), row -> new Keyed(row.get("id", Integer.class), plan.read(row)))
                .collectList()
                .block(TIMEOUT);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void sortedRowsOfTheServerAreSorted(Case given, String form) {
        ShardOperations shard = shard(form);
        for (Direction direction : Direction.values()) {
            for (Nulls nulls : Nulls.values()) {
                SortKey key = new SortKey("v", direction, nulls, Collation.C_IF_TEXT);
                verifyOrder(shard, "select * from " + given.table(), List.of(key), given + " " + key);
            }
        }
    }

    private static void verifyOrder(ShardOperations shard, String sql, List<SortKey> keys, String what) {
        SortPlan plan = describe(shard, sql, keys);
        List<Keyed> sorted = rows(shard, plan, "select * from (" + sql + ") q " + plan.orderBy("q"));
        for (int i = 1; i < sorted.size(); i++) {
            Keyed left = sorted.get(i - 1);
            Keyed right = sorted.get(i);
            assertThat(plan.compare(left.values(), right.values()))
                    .as("%s: rows %s and %s, seed %s", what, left.id(), right.id(), OrderCases.SEED)
                    .isLessThanOrEqualTo(0);
            assertThat(plan.compare(right.values(), left.values()))
                    .as("%s: rows %s and %s, seed %s", what, right.id(), left.id(), OrderCases.SEED)
                    .isGreaterThanOrEqualTo(0);
        }
        List<SortValues> shuffled =
                new ArrayList<>(sorted.stream().map(Keyed::values).toList());
        Collections.shuffle(shuffled, new Random(OrderCases.SEED));
        shuffled.sort(plan.comparator());
        for (int i = 0; i < sorted.size(); i++) {
            assertThat(plan.compare(shuffled.get(i), sorted.get(i).values()))
                    .as("%s: place %s, seed %s", what, i, OrderCases.SEED)
                    .isZero();
        }
        assertThat(sorted).isNotEmpty();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void verdictOnAllPairsIsThatOfTheServer(Case given, String form) throws SQLException {
        ShardOperations shard = shard(form);
        String sql = "select * from " + given.table();
        SortKey key = new SortKey("v", Direction.ASC, Nulls.LAST, Collation.C_IF_TEXT);
        SortPlan plan = describe(shard, sql, List.of(key));
        Map<Integer, SortValues> values = new HashMap<>();
        rows(shard, plan, sql).forEach(row -> values.put(row.id(), row.values()));
        String pairs = "select a.id, b.id, case when " + given.sql("a") + " < " + given.sql("b") + " then -1 when "
                + given.sql("a") + " = " + given.sql("b") + " then 0 else 1 end from " + given.table() + " a, "
                + given.table() + " b where a.v is not null and b.v is not null";
        int verdicts = 0;
        try (Connection connection = SHARDS.node(0).openJdbc();
                ResultSet pair = connection.createStatement().executeQuery(pairs)) {
            while (pair.next()) {
                int order = plan.compare(values.get(pair.getInt(1)), values.get(pair.getInt(2)));
                if (Integer.signum(order) != pair.getInt(3)) {
                    throw new AssertionError(given + ", " + form + ": " + text(given, pair.getInt(1)) + " and "
                            + text(given, pair.getInt(2)) + " compare as " + order + ", on the server as "
                            + pair.getInt(3) + ", seed " + OrderCases.SEED);
                }
                verdicts++;
            }
        }
        assertThat(verdicts).isGreaterThan(1_000);
    }

    private static String text(Case given, int id) {
        return "\"" + given.values().get(id - 1) + "\"";
    }

    @ParameterizedTest
    @MethodSource("cases")
    void encodedValuesAreReadBackByTheServerAndHere(Case given, String form) {
        ShardOperations shard = shard(form);
        String sql = "select * from " + given.table();
        SortKey key = new SortKey("v", Direction.ASC, Nulls.LAST, Collation.C_IF_TEXT);
        SortPlan plan = describe(shard, sql, List.of(key));
        List<Keyed> rows = rows(shard, plan, sql);
        List<String> texts = new ArrayList<>();
        for (Keyed row : rows) {
            String[] encoded = plan.encode(row.values());
            assertThat(plan.compare(plan.decode(encoded), row.values()))
                    .as("%s in row %s", given, row.id())
                    .isZero();
            texts.add(encoded[0]);
        }
        String back = "select r.id, coalesce(u.v, 'null') from unnest($1::int[], $2::text[]) u(id, v) join "
                + given.table() + " r on r.id = u.id where (u.v::text::" + plan.typeName(0) + " = "
                + plan.expression(0, "r") + ") is not true and (u.v is not null or r.v is not null)";
        Integer[] ids = rows.stream().map(Keyed::id).toArray(Integer[]::new);
        for (String setting :
                List.of("datestyle = 'ISO, YMD'", "datestyle = 'German'", "intervalstyle = 'sql_standard'")) {
            List<String> wrong = shard.inTransaction(connection -> Query.of("set local " + setting)
                            .update(connection)
                            .thenMany(Query.of(back, ids, texts.toArray(String[]::new))
                                    .fetch(
                                            connection,
                                            row -> text(given, row.get(0, Integer.class)) + " as "
                                                    + row.get(1, String.class)))
                            .collectList())
                    .block(TIMEOUT);
            assertThat(wrong)
                    .as("%s, %s, %s, seed %s", given, form, setting, OrderCases.SEED)
                    .isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {TEXT, BINARY})
    void keysAreComparedOneAfterTheOther(String form) {
        ShardOperations shard = shard(form);
        Random random = new Random(OrderCases.SEED);
        String sql = "select n as id, nullif(n * 7919 % 5, 0) as a, chr(nullif(n * 104729 % 6, 0) + 64) as \"B c\","
                + " timestamp '2026-01-01' + n * 31 % 4 * interval '1 day' as t, (n % 3 = 0) as f"
                + " from generate_series(1, 300) n";
        for (int round = 0; round < 12; round++) {
            List<SortKey> keys = new ArrayList<>(Stream.of("a", "B c", "t", "f")
                    .map(column -> new SortKey(
                            column,
                            random.nextBoolean() ? Direction.ASC : Direction.DESC,
                            random.nextBoolean() ? Nulls.FIRST : Nulls.LAST,
                            Collation.C_IF_TEXT))
                    .toList());
            Collections.shuffle(keys, random);
            List<SortKey> some = keys.subList(0, 2 + round % 3);
            verifyOrder(shard, sql, some, "round " + round + " " + some);
        }
    }
}
