package io.reactiverouter.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.parallel.ExecutionMode.CONCURRENT;

import io.reactiverouter.strategy.PredicateCases.Case;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.ShardId;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Predicates in publications and triggers, over columns with any name, and under any setting of the session. */
@NullUnmarked
class PredicateUseIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(1);

    private static final PredicateCases CASES = PredicateCases.with(700);

    private static final AtomicInteger TABLES = new AtomicInteger();

    private Connection connection;

    @BeforeAll
    static void createTables() throws SQLException {
        try (Connection owner = SHARDS.node(0).openJdbc();
                Statement statement = owner.createStatement()) {
            CASES.createTables(owner);
            statement.execute("create table fired (n int, op text, shard text)");
            statement.execute("create function note() returns trigger language plpgsql as $$ begin"
                    + " insert into fired values (coalesce(new.n, old.n), tg_op, tg_argv[0]); return null; end $$");
        }
    }

    /** What a test does is undone. */
    @BeforeEach
    void begin() throws SQLException {
        connection = SHARDS.node(0).openJdbc();
        connection.setAutoCommit(false);
    }

    @AfterEach
    void rollBack() throws SQLException {
        connection.rollback();
        connection.close();
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.setEscapeProcessing(false);
            statement.execute(sql);
        }
    }

    static List<Case> cases() {
        return CASES.cases();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void rowFilterIsAcceptedWhereItIsSaidToBe(Case given) throws SQLException {
        // The server refuses filters over columns with collations that it does not bring along.
        boolean userDefined = given.column().name().equals("loose")
                || "loose_region".equals(given.column().region());
        List<ShardId> shards = given.strategy().shards();
        for (ShardId shard : shards.size() < 10 ? shards : shards.subList(0, 3)) {
            SqlPredicate predicate = given.strategy().rowsOf(shard, given.column());
            String sql = "create publication p for table " + given.table() + " where (" + predicate.where() + ")";
            execute("savepoint before");
            Throwable refusal = catchThrowable(() -> execute(sql));
            if (refusal != null || !predicate.isAvailableInRowFilters()) {
                assertThat(refusal)
                        .as("refusal of the row filter of %s on %s, %s", given, shard, predicate.reason())
                        .hasMessageContaining("invalid publication WHERE expression");
            }
            if (predicate.isAvailableInRowFilters() && !userDefined) {
                assertThat(refusal).as("row filter of %s on %s", given, shard).isNull();
                assertThat(predicate.rowFilter()).isEqualTo(predicate.where());
            }
            execute("rollback to before");
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void triggersFireForTheRowsOfTheirShard(Case given) throws SQLException {
        List<ShardId> shards = given.strategy().shards();
        for (ShardId shard : shards) {
            for (String row : List.of("new", "old")) {
                execute("create trigger " + shard + row + " after " + (row.equals("new") ? "insert" : "delete") + " on "
                        + given.table() + " for each row when ("
                        + given.strategy()
                                .rowsOf(shard, given.column().qualified(row))
                                .where()
                        + ") execute function note('" + shard + "')");
            }
        }

        CASES.insertKeys(connection, given.table(), "");
        execute("delete from " + given.table());

        Set<String> expected = new HashSet<>();
        List<ShardKey> keys = CASES.keys.get(given.table());
        for (int n = 0; n < keys.size(); n++) {
            ShardId shard = PredicateCases.locate(given.strategy(), keys.get(n));
            if (shard != null) {
                expected.add(n + " INSERT " + shard);
                expected.add(n + " DELETE " + shard);
            }
        }
        List<String> fired = texts("select n || ' ' || op || ' ' || shard from fired");
        assertThat(fired).doesNotHaveDuplicates();
        assertThat(new HashSet<>(fired)).isEqualTo(expected);
    }

    private List<String> texts(String sql) throws SQLException {
        List<String> texts = new ArrayList<>();
        try (Statement statement = connection.createStatement()) {
            statement.setEscapeProcessing(false);
            try (ResultSet rows = statement.executeQuery(sql)) {
                while (rows.next()) {
                    texts.add(rows.getString(1));
                }
            }
        }
        return texts;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Upper Case",
                "a\"b",
                "\"",
                "\"\"; drop table hostile; --",
                "x; drop table hostile",
                "'",
                "\\",
                "\\'",
                "$$",
                "$1",
                "?",
                ":p",
                "%s %1$s",
                "{fn now()}",
                "new",
                "select",
                "--",
                "/*",
                "\u00fcn\u00ef \ud83d\ude80",
                " "
            })
    @Execution(CONCURRENT)
    void columnsMayHaveAnyName(String name) throws SQLException {
        String hostile = "hostile" + TABLES.incrementAndGet();
        String quoted = '"' + name.replace("\"", "\"\"") + '"';
        String region = '"' + name.replace("\"", "\"\"") + "2\"";
        for (Case given : CASES.cases()) {
            if (!Set.of("longs.b", "texts.t", "uuids.u", "times.at", "places.id")
                            .contains(given.table() + "." + given.column().name())
                    || "loose_region".equals(given.column().region())
                    || given.strategy().shards().size() > 10) {
                continue;
            }
            execute("savepoint before");
            execute("create table " + hostile + " (like " + given.table() + ")");
            execute("alter table " + hostile + " rename column \""
                    + given.column().name() + "\" to " + quoted);
            KeyColumn column = KeyColumn.of(name, given.column().type());
            if (given.column().region() != null) {
                execute("alter table " + hostile + " rename column region to " + region);
                column = column.withRegion(name + "2");
            }
            ShardId shard = given.strategy().shards().get(0);
            SqlPredicate predicate = given.strategy().rowsOf(shard, column);

            texts("select n from " + hostile + " where " + predicate.where());
            texts("select n from " + hostile + " h where "
                    + given.strategy().rowsOf(shard, column.qualified("h")).where());
            execute("create trigger t after insert on " + hostile + " for each row when ("
                    + given.strategy().rowsOf(shard, column.qualified("new")).where() + ") execute function note()");
            if (predicate.isAvailableInRowFilters()) {
                execute("create publication " + hostile + " for table " + hostile + " where (" + predicate.rowFilter()
                        + ")");
            }
            execute("rollback to before");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "set standard_conforming_strings = off; set escape_string_warning = off; set backslash_quote = off",
                "set datestyle = 'ISO, DMY'; set timezone = 'Asia/Kathmandu'; set intervalstyle = sql_standard",
                "set datestyle = 'ISO, YMD'; set timezone = 'America/St_Johns'",
                "set search_path = pg_temp; set transform_null_equals = on; set array_nulls = off",
                "set enable_seqscan = off; set jit_above_cost = 0; set debug_parallel_query = on"
            })
    @Execution(CONCURRENT)
    void settingsOfTheSessionDoNotMatter(String settings) throws SQLException {
        for (String table : CASES.keys.keySet()) {
            CASES.insertKeys(connection, table, "");
        }
        execute(settings);
        for (Case given : CASES.cases()) {
            List<ShardKey> keys = CASES.keys.get(given.table());
            ShardId[] owners = new ShardId[keys.size()];
            List<ShardId> shards = given.strategy().shards();
            if (shards.size() > 10) {
                continue;
            }
            for (ShardId shard : shards) {
                String where = given.strategy().rowsOf(shard, given.column()).where();
                for (String n : texts("select n from public." + given.table() + " where " + where)) {
                    owners[Integer.parseInt(n)] = shard;
                }
            }
            for (int n = 0; n < owners.length; n++) {
                ShardId expected = PredicateCases.locate(given.strategy(), keys.get(n));
                // No assertion object for each key.
                if (!Objects.equals(owners[n], expected)) {
                    assertThat(owners[n])
                            .as("owner of %s by %s", keys.get(n), given)
                            .isEqualTo(expected);
                }
            }
        }
    }

    @Test
    void regionColumnIsNamedWhereItIsMissing() {
        Case given = CASES.cases().stream()
                .filter(one -> one.table().equals("places"))
                .findFirst()
                .orElseThrow();

        assertThatThrownBy(() ->
                        given.strategy().rowsOf(given.strategy().shards().get(0), KeyColumn.of("id", KeyType.INTEGER)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("regionColumn");
    }
}
