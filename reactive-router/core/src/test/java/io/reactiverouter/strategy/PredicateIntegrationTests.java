package io.reactiverouter.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.parallel.ExecutionMode.CONCURRENT;

import io.reactiverouter.strategy.PredicateCases.Case;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.ShardId;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Where the strategy places a key in Java, the server places it by the strategy's SQL. */
@NullUnmarked
@Execution(CONCURRENT)
class PredicateIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(1);

    private static final PredicateCases CASES = PredicateCases.all();

    @BeforeAll
    static void fill() throws SQLException {
        try (Connection connection = SHARDS.node(0).openJdbc()) {
            CASES.createTables(connection);
            CASES.insertKeys(connection);
        }
    }

    static List<Case> cases() {
        return CASES.cases();
    }

    private static BigDecimal seconds(ShardKey key) {
        Instant time = (Instant) key.parameter();
        return BigDecimal.valueOf(time.getEpochSecond()).add(BigDecimal.valueOf(time.getNano() / 1_000, 6));
    }

    @ParameterizedTest
    @MethodSource("cases")
    @Execution(CONCURRENT)
    void everyKeyBelongsToTheShardThatLocateGives(Case given) throws SQLException {
        List<ShardKey> keys = CASES.keys.get(given.table());
        ShardId[] owners = new ShardId[keys.size()];
        try (Connection connection = SHARDS.node(0).openJdbc();
                Statement statement = connection.createStatement()) {
            for (ShardId shard : given.strategy().shards()) {
                String where = given.strategy().rowsOf(shard, given.column()).where();
                try (ResultSet rows = statement.executeQuery("select n from " + given.table() + " where " + where)) {
                    while (rows.next()) {
                        int n = rows.getInt(1);
                        // No assertion object for each of ten million rows.
                        if (owners[n] != null) {
                            assertThat(owners[n])
                                    .as("owner of %s beside %s, seed %s", keys.get(n), shard, PredicateCases.SEED)
                                    .isNull();
                        }
                        owners[n] = shard;
                    }
                }
            }
        }
        for (int n = 0; n < owners.length; n++) {
            ShardId expected = PredicateCases.locate(given.strategy(), keys.get(n));
            if (expected == null ? owners[n] != null : !expected.equals(owners[n])) {
                assertThat(owners[n])
                        .as("owner of %s in SQL, seed %s", keys.get(n), PredicateCases.SEED)
                        .isEqualTo(expected);
            }
        }
    }

    @Test
    void theKeysAreInTheTables() throws SQLException {
        try (Connection connection = SHARDS.node(0).openJdbc();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(
                        // The server's own epoch is rounded at the end of its calendar.
                        "select round(extract(epoch from date_trunc('second', at))"
                                + " + extract(microseconds from at) % 1000000 / 1000000, 6) from times order by n")) {
            for (ShardKey key : CASES.keys.get("times")) {
                assertThat(rows.next()).isTrue();
                assertThat(rows.getBigDecimal(1)).as("time %s", key).isEqualTo(key == null ? null : seconds(key));
            }
        }
        for (String table : List.of("texts", "longs", "uuids", "ints", "places")) {
            try (Connection connection = SHARDS.node(0).openJdbc();
                    Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery("select * from " + table + " order by n")) {
                for (ShardKey key : CASES.keys.get(table)) {
                    assertThat(rows.next()).isTrue();
                    if (key == null) {
                        assertThat(rows.getObject(2)).isNull();
                    } else {
                        assertThat(rows.getObject(2).toString())
                                .isEqualTo(key.parameter().toString());
                    }
                }
            }
        }
    }
}
