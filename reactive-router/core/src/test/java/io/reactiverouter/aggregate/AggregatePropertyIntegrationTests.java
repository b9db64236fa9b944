package io.reactiverouter.aggregate;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.awaitQuiet;
import static io.reactiverouter.TestClusters.sql;
import static org.assertj.core.api.Assertions.assertThat;

import io.r2dbc.spi.Row;
import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.TestClusters;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.ShardId;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random rows of every type on two of three shards, and all of them in one table: each aggregate over the shards must be what
 * PostgreSQL says over the one table. Exact types are compared by the text that PostgreSQL prints, so that the scale counts.
 */
@NullUnmarked
class AggregatePropertyIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3);

    private static final String APP = "aggregate-property-tests";
    private static final long SEED = Long.getLong("aggregate.seed", 20_240_229L);
    private static final int ROWS = 400;

    /**
     * How far floating-point results may be from those of one database, relative to the result: rounding depends on the order
     * of rows. The data of these columns is positive, so that nothing cancels out.
     */
    private static final double DOUBLE_TOLERANCE = 1e-11;

    private static final double REAL_TOLERANCE = 1e-4;

    private static final List<String> NUMBERS =
            List.of("i2", "i4", "i8", "n", "n9", "r", "d", "none", "special", "dspecial", "big");
    private static final List<String> OTHERS = List.of("c", "bp", "ts", "dt", "iv", "ti");
    private static final List<String> COUNTED =
            List.of("i4", "n", "d", "t", "bp", "ts", "u", "none", "special", "dspecial", "big", "iv");

    private static final Map<String, String> COLUMNS = new LinkedHashMap<>();

    static {
        COLUMNS.put("gi", "int");
        COLUMNS.put("gt", "text");
        COLUMNS.put("gn", "numeric");
        COLUMNS.put("gf", "float8");
        COLUMNS.put("gc", "char(4)");
        COLUMNS.put("gb", "boolean");
        COLUMNS.put("gm", "mood");
        COLUMNS.put("gts", "timestamptz");
        COLUMNS.put("i2", "smallint");
        COLUMNS.put("i4", "int");
        COLUMNS.put("i8", "bigint");
        COLUMNS.put("n", "numeric");
        COLUMNS.put("n9", "numeric(24,9)");
        COLUMNS.put("r", "real");
        COLUMNS.put("d", "float8");
        COLUMNS.put("none", "numeric");
        COLUMNS.put("special", "numeric");
        COLUMNS.put("dspecial", "float8");
        COLUMNS.put("big", "numeric");
        COLUMNS.put("t", "text");
        COLUMNS.put("c", "text collate \"C\"");
        COLUMNS.put("bp", "char(3) collate \"C\"");
        COLUMNS.put("ts", "timestamp");
        COLUMNS.put("dt", "date");
        COLUMNS.put("iv", "interval");
        COLUMNS.put("ti", "time");
        COLUMNS.put("u", "uuid");
    }

    private static ShardCluster cluster;

    @BeforeAll
    static void fill() {
        cluster = TestClusters.over(SHARDS, APP).build();
        // From here on each shard numbers its types in another way.
        sql(SHARDS.node(1), "create table before (id int)");
        sql(SHARDS, "create type mood as enum ('sad', 'ok', 'happy')");
        String columns = COLUMNS.entrySet().stream()
                .map(column -> column.getKey() + " " + column.getValue())
                .collect(Collectors.joining(", "));
        sql(SHARDS, "create table rows_ (" + columns + "); create table whole (" + columns + ")");
        Random random = new Random(SEED);
        List<List<String>> shards = List.of(new ArrayList<>(), new ArrayList<>());
        for (int i = 0; i < ROWS; i++) {
            int shard = random.nextInt(2);
            shards.get(shard).add(row(random, shard));
        }
        for (int i = 0; i < 2; i++) {
            sql(SHARDS.node(i), "insert into rows_ values " + String.join(", ", shards.get(i)));
            sql(SHARDS.node(0), "insert into whole values " + String.join(", ", shards.get(i)));
        }
    }

    @AfterEach
    void nothingIsLeftBehind() {
        awaitQuiet(cluster, SHARDS, APP);
    }

    @AfterAll
    static void close() {
        cluster.close().block(TIMEOUT);
    }

    private static String row(Random random, int shard) {
        Map<String, String> row = new LinkedHashMap<>();
        // Some groups are on one shard only.
        row.put("gi", oneOf(random, "1", "2", "null", shard == 0 ? "3" : "4"));
        row.put("gt", oneOf(random, "'a'", "'A'", "'é'", "'b '", "''", "null", shard == 0 ? "'𝄞'" : "'ﬀ'"));
        row.put("gn", oneOf(random, "1", "1.0", "1.00", "0", "0.000", "'NaN'", "'Infinity'", "-2.5", "1e30", "null"));
        row.put("gf", oneOf(random, "0", "'-0'", "'NaN'", "'-Infinity'", "1.5", "null"));
        row.put("gc", oneOf(random, "'x'", "'x  '", "'xy'", "null"));
        row.put("gb", oneOf(random, "true", "false", "null"));
        row.put("gm", oneOf(random, "'sad'", "'ok'", "'happy'", "null"));
        row.put(
                "gts",
                oneOf(random, "'2024-02-29 12:00+00'", "'2024-02-29 13:00+01'", "'1999-01-01 00:00+00'", "null"));
        row.put("i2", oneOf(random, "32767", "-32768", "null", "" + random.nextInt(100)));
        row.put("i4", oneOf(random, "2147483647", "-2147483648", "null", "" + random.nextInt(1_000)));
        row.put("i8", oneOf(random, "9223372036854775807", "-9223372036854775807", "null", "" + random.nextLong()));
        row.put("n", oneOf(random, "null", "0.00", "-0.1", decimal(random)));
        row.put("n9", oneOf(random, "null", decimal(random)));
        row.put("r", oneOf(random, "null", "" + (1 + random.nextFloat() * 1_000)));
        row.put("d", oneOf(random, "null", "" + (1 + random.nextDouble() * 1_000), "1.25"));
        row.put("none", "null");
        row.put("special", random.nextInt(20) == 0 ? oneOf(random, "'NaN'", "'Infinity'", "'-Infinity'") : "1.5");
        row.put("dspecial", random.nextInt(20) == 0 ? oneOf(random, "'NaN'", "'Infinity'", "'-Infinity'") : "1.5");
        row.put("big", oneOf(random, "1e100", "-1e-60", "9.9e40", "null", decimal(random)));
        row.put("t", oneOf(random, "'a'", "'a '", "'A'", "'ä'", "'𝄞'", "null"));
        row.put("c", oneOf(random, "'a'", "'a '", "'A'", "'ä'", "'𝄞'", "'ﬀ'", "null"));
        row.put("bp", oneOf(random, "'a'", "'a  '", "'B'", "''", "null"));
        row.put("ts", oneOf(random, "null", "timestamp '2020-01-01' + " + random.nextInt(50) + " * interval '1 hour'"));
        row.put("dt", oneOf(random, "null", "date '2020-01-01' + " + random.nextInt(5_000)));
        row.put("iv", oneOf(random, "'1 day'", "'3 mons -2 days'", "'-5 hours'", "null", "'90 days'"));
        row.put("ti", oneOf(random, "'12:00'", "'00:00:00.000001'", "'23:59:59'", "null"));
        row.put("u", oneOf(random, "null", "'00000000-0000-0000-0000-00000000000" + random.nextInt(10) + "'"));
        return COLUMNS.keySet().stream().map(row::get).collect(Collectors.joining(", ", "(", ")"));
    }

    private static String oneOf(Random random, String... values) {
        return values[random.nextInt(values.length)];
    }

    private static String decimal(Random random) {
        return BigDecimal.valueOf(random.nextLong(), 6 + random.nextInt(14)).toPlainString();
    }

    static Stream<List<String>> groupings() {
        return Stream.of(
                List.of(),
                List.of("gi"),
                List.of("gt"),
                List.of("gn"),
                List.of("gf"),
                List.of("gc"),
                List.of("gm", "gb"),
                List.of("gts"),
                List.of("gi", "gt", "gn"));
    }

    @ParameterizedTest
    @MethodSource("groupings")
    void mergedIsWhatOneDatabaseSays(List<String> groups) {
        Aggregation aggregation =
                groups.isEmpty() ? Aggregation.ofAll() : Aggregation.groupBy(groups.toArray(String[]::new));
        List<String> expressions = new ArrayList<>();
        for (String column : NUMBERS) {
            aggregation = aggregation
                    .count(column, column + "_count")
                    .sum(column, column + "_sum")
                    .avg(column, column + "_avg")
                    .varPop(column, column + "_varp")
                    .varSamp(column, column + "_vars")
                    .stddevPop(column, column + "_devp")
                    .stddevSamp(column, column + "_devs");
            for (String function : List.of("count", "sum", "avg", "var_pop", "var_samp", "stddev_pop", "stddev_samp")) {
                expressions.add(exact(function + "(" + column + ")"));
            }
        }
        verify(groups, aggregation.count("n_rows"), append(expressions, "count(*)"));
    }

    @ParameterizedTest
    @MethodSource("groupings")
    void extremesAndDistinctValuesAreWhatOneDatabaseSays(List<String> groups) {
        Aggregation aggregation =
                groups.isEmpty() ? Aggregation.ofAll() : Aggregation.groupBy(groups.toArray(String[]::new));
        List<String> expressions = new ArrayList<>();
        List<String> columns = new ArrayList<>(NUMBERS);
        columns.addAll(OTHERS);
        for (String column : columns) {
            aggregation = aggregation.min(column, column + "_min").max(column, column + "_max");
            expressions.add(stripped("min(" + column + ")", column));
            expressions.add(stripped("max(" + column + ")", column));
        }
        List<String> counted = new ArrayList<>(COUNTED);
        counted.addAll(groups);
        for (String column : counted) {
            aggregation = aggregation.countDistinct(column, column + "_users").countDistinct(column, column + "_again");
            expressions.add("count(distinct " + column + ")");
            expressions.add("count(distinct " + column + ")");
        }
        aggregation = aggregation.sum("n", "n_sum");
        expressions.add("sum(n)::text");
        verify(groups, aggregation, expressions);
    }

    @ParameterizedTest
    @MethodSource("groupings")
    void shardsWithoutRowsGiveWhatAnEmptyTableGives(List<String> groups) {
        Aggregation aggregation = (groups.isEmpty()
                        ? Aggregation.ofAll()
                        : Aggregation.groupBy(groups.toArray(String[]::new)))
                .count("n_rows")
                .sum("n", "s")
                .avg("d", "a")
                .countDistinct("t", "x");

        List<AggregateRow> rows = new AggregateShards(cluster).rows(aggregation, "select * from rows_ where false");

        if (groups.isEmpty()) {
            assertThat(rows).hasSize(1);
            assertThat(rows.get(0)).hasToString("AggregateRow[n_rows=0, s=null, a=null, x=0]");
        } else {
            assertThat(rows).isEmpty();
        }
    }

    /** The division of numeric.c, on operands of any size and scale. */
    @Test
    void quotientsAreThoseOfTheServer() {
        Random random = new Random(SEED);
        for (int i = 0; i < 20; i++) {
            List<BigDecimal> dividends = new ArrayList<>();
            List<BigDecimal> divisors = new ArrayList<>();
            for (int j = 0; j < 100; j++) {
                dividends.add(
                        new BigDecimal(new java.math.BigInteger(random.nextInt(200), random), random.nextInt(60)));
                divisors.add(BigDecimal.valueOf(1 + random.nextLong(1L << (1 + random.nextInt(50)))));
            }
            String statement = "select (a::numeric / b::numeric)::text from unnest($1::text[], $2::text[])"
                    + " with ordinality t(a, b, n) order by n";
            List<String> quotients = cluster.shard(ShardId.of("s0"))
                    .query(Query.of(statement, texts(dividends), texts(divisors)), row -> row.get(0, String.class))
                    .collectList()
                    .block(TIMEOUT);
            for (int j = 0; j < 100; j++) {
                assertThat(Decimal.quotient(dividends.get(j), divisors.get(j)).toPlainString())
                        .as("seed %d: %s / %s", SEED, dividends.get(j), divisors.get(j))
                        .isEqualTo(quotients.get(j));
            }
        }
    }

    private static String[] texts(List<BigDecimal> numbers) {
        return numbers.stream().map(BigDecimal::toPlainString).toArray(String[]::new);
    }

    /** As text where the result may be a numeric, which the driver would not give whole. */
    private static String exact(String expression) {
        return "case when pg_typeof(" + expression + ") = 'numeric'::regtype then (" + expression + ")::text end, "
                + expression;
    }

    /** Of equal numbers PostgreSQL may show any. */
    private static String stripped(String expression, String column) {
        return COLUMNS.get(column).startsWith("numeric") ? "trim_scale(" + expression + ")::text" : expression;
    }

    private static List<String> append(List<String> list, String more) {
        List<String> all = new ArrayList<>(list);
        all.add(more);
        return all;
    }

    private static void verify(List<String> groups, Aggregation aggregation, List<String> expressions) {
        Map<List<Object>, List<Object>> expected = expected(groups, expressions);
        List<AggregateRow> rows = new AggregateShards(cluster).rows(aggregation, "select * from rows_; ");

        Map<List<Object>, AggregateRow> merged = new HashMap<>();
        rows.forEach(row -> assertThat(merged.put(
                        groups.stream()
                                .map(group -> canonical(row.get(group)))
                                .toList()
                                .toString()
                                .lines()
                                .map(Object.class::cast)
                                .toList(),
                        row))
                .as("seed %d: group is there once: %s", SEED, row)
                .isNull());
        assertThat(merged.keySet()).as("groups, seed %d", SEED).isEqualTo(expected.keySet());
        List<String> names = aggregation.names();
        expected.forEach((group, values) -> {
            for (int i = 0; i < values.size(); i++) {
                String name = names.get(groups.size() + i);
                Object actual = merged.get(group).get(name);
                assertThat(isSame(name, actual, values.get(i)))
                        .as("seed %d: group %s: %s is %s and was %s", SEED, group, name, values.get(i), actual)
                        .isTrue();
            }
        });
    }

    private static Map<List<Object>, List<Object>> expected(List<String> groups, List<String> expressions) {
        List<String> keys = groups.stream()
                .map(group -> COLUMNS.get(group).equals("numeric") ? group + "::text" : group)
                .toList();
        List<String> columns = new ArrayList<>(keys);
        columns.addAll(expressions);
        String statement = "select " + String.join(", ", columns) + " from whole"
                + (groups.isEmpty() ? "" : " group by " + String.join(", ", groups));
        Map<List<Object>, List<Object>> expected = new HashMap<>();
        cluster.shard(ShardId.of("s0"))
                .query(
                        Query.of(statement),
                        row -> expected.put(key(row, groups), values(row, groups.size(), expressions)) == null)
                .blockLast(TIMEOUT);
        return expected;
    }

    private static List<Object> key(Row row, List<String> groups) {
        List<Object> key = new ArrayList<>();
        for (int i = 0; i < groups.size(); i++) {
            Object value = row.get(i);
            boolean isNumeric = COLUMNS.get(groups.get(i)).equals("numeric") && value != null;
            key.add(canonical(isNumeric ? Decimal.parse((String) value).value() : value));
        }
        return key.toString().lines().map(Object.class::cast).toList();
    }

    private static List<Object> values(Row row, int from, List<String> expressions) {
        List<Object> values = new ArrayList<>();
        int column = from;
        for (String expression : expressions) {
            Object value = row.get(column++);
            if (expression.startsWith("case")) {
                value = value == null ? row.get(column) : value;
                column++;
            }
            values.add(value);
        }
        return values;
    }

    private static Object canonical(Object value) {
        if (value instanceof BigDecimal number) {
            return number.signum() == 0 ? "0" : number.stripTrailingZeros().toPlainString();
        }
        return value instanceof Double number ? Double.valueOf(number + 0.0) : String.valueOf(value);
    }

    private static boolean isSame(String name, Object actual, Object expected) {
        if (actual == null || expected == null) {
            return actual == expected;
        }
        if (expected instanceof String text && (actual instanceof BigDecimal || actual instanceof Double)) {
            boolean isExtreme = name.endsWith("_min") || name.endsWith("_max");
            String shown = actual instanceof BigDecimal number
                    ? (isExtreme ? (String) canonical(number) : number.toPlainString())
                    : actual.toString();
            return shown.equals(text);
        }
        if (expected instanceof Double || expected instanceof Float) {
            double left = ((Number) actual).doubleValue();
            double right = ((Number) expected).doubleValue();
            double tolerance = expected instanceof Float ? REAL_TOLERANCE : DOUBLE_TOLERANCE;
            return actual.getClass() == expected.getClass()
                    && (Double.compare(left, right) == 0 || Math.abs(left - right) <= tolerance * Math.abs(right));
        }
        return actual.equals(expected) || Arrays.asList(actual).equals(Arrays.asList(expected));
    }
}
