package io.reactiverouter.test;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** What each of the two classes does: finds its own table empty, leaves rows, and is on the same two servers. */
final class IsolationProbe {

    private static final Set<Integer> PORTS = ConcurrentHashMap.newKeySet();
    private static final Set<String> DATABASES = ConcurrentHashMap.newKeySet();

    private IsolationProbe() {}

    static void check(Shards shards) {
        for (ShardNode node : shards.nodes()) {
            try (Connection connection = node.openJdbc();
                    Statement statement = connection.createStatement()) {
                try (ResultSet result = statement.executeQuery("select count(*) from rows_seen")) {
                    result.next();
                    assertThat(result.getInt(1)).isZero();
                }
                statement.execute("insert into rows_seen values (1)");
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
            PORTS.add(node.port());
            assertThat(DATABASES.add(node.name() + "/" + node.database())).isTrue();
        }
        assertThat(PORTS).as("servers of both classes").hasSize(2);
    }
}
