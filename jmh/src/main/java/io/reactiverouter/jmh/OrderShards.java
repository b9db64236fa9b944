package io.reactiverouter.jmh;

import io.reactiverouter.jmh.OrderReader.Answer;
import io.reactiverouter.test.EmbeddedShards;
import io.reactiverouter.test.ShardNode;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;

/** Two PostgreSQL servers with a table {@code orders}, by {@code id} modulo two. */
final class OrderShards {

    static final int CUSTOMERS = 1_000;

    private static final int SHARDS = 2;

    private OrderShards() {}

    /** Starts the servers and fills the table. */
    static EmbeddedShards start(int rows) throws SQLException {
        EmbeddedShards shards = EmbeddedShards.start(SHARDS);
        for (int i = 0; i < SHARDS; i++) {
            ShardNode node = shards.node(i);
            try (Connection connection = node.openJdbc();
                    Statement statement = connection.createStatement()) {
                statement.execute("""
                        create table orders (
                            id bigint primary key,
                            customer integer not null,
                            amount numeric(12, 2) not null)""");
                statement.execute("""
                        insert into orders
                        select n, (hashint8(n) & 2147483647) %% %d, n * 7919 %% 1000000 / 100.0
                        from generate_series(%d::bigint, %d, %d) n""".formatted(CUSTOMERS, i, rows - 1, SHARDS));
                statement.execute("vacuum analyze orders");
            }
        }
        return shards;
    }

    /**
     * Asks through all libraries.
     *
     * @throws IllegalStateException if the answers differ, or are not those of all rows
     */
    static void compare(EmbeddedShards shards, int rows) throws SQLException {
        Answer scan = null;
        Answer latest = null;
        Answer count = null;
        Answer totals = null;
        for (Library library : Library.values()) {
            try (OrderReader reader = library.open(library.urls(shards))) {
                scan = same(library, scan, reader.scan(), rows);
                latest = same(library, latest, reader.latest(), Math.min(rows, OrderReader.LATEST));
                count = same(library, count, reader.count(), 1);
                totals = same(library, totals, reader.totals(), Math.min(rows, CUSTOMERS));
            }
        }
    }

    private static Answer same(Library library, @Nullable Answer expected, Answer answer, int rows) {
        if (answer.rows() != rows || (expected != null && !expected.equals(answer))) {
            throw new IllegalStateException(
                    library + " gave " + answer + " and not " + (expected == null ? rows + " rows" : expected));
        }
        return answer;
    }
}
