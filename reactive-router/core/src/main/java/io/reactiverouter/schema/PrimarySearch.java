package io.reactiverouter.schema;

import io.reactiverouter.connection.ConnectionSettings;
import io.reactiverouter.connection.WrongDatabaseException;
import io.reactiverouter.topology.Node;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.Shard;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Finds the node of a shard that is primary at this moment, whichever was named as it: asks each of them, and of two that say
 * that they are, takes the one on the later timeline. Blocks.
 */
final class PrimarySearch {

    /** For a question that a server answers at once. */
    static final Duration QUESTION_LIMIT = Duration.ofSeconds(20);

    private static final String TIMELINE =
            "select ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int,"
                    + " exists (select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
                    + " where n.nspname = 'reactive_router' and c.relname = 'identity')";

    private static final String IDENTITY = "select cluster, shard from reactive_router.identity";

    private final Function<? super NodeId, ConnectionSettings> connections;
    private final @Nullable String cluster;

    /**
     * Searches with these settings.
     *
     * @param cluster name of the cluster, null if any will do
     */
    PrimarySearch(Function<? super NodeId, ConnectionSettings> connections, @Nullable String cluster) {
        this.connections = connections;
        this.cluster = cluster;
    }

    /** Reads the settings of a node, so that a bad one fails early. */
    Properties options(Node node) {
        if (node.address().username() == null) {
            throw new IllegalArgumentException(
                    "node " + node.id() + " has no user name; put one into its URL or set a login for migrations");
        }
        return JdbcOptions.of(node, connections.apply(node.id()));
    }

    /**
     * Returns the primary.
     *
     * @param isShard whether the database may say which shard it is, and must then be this one
     * @throws NoPrimaryAnswersException if none answers
     * @throws WrongDatabaseException if its database says that it is another shard
     */
    Node find(Shard shard, boolean isShard) throws NoPrimaryAnswersException {
        Node found = null;
        long timeline = -1;
        List<String> problems = new ArrayList<>();
        List<Throwable> causes = new ArrayList<>();
        for (Node node : shard.nodes()) {
            try {
                long other = timeline(node, isShard);
                if (other > timeline) {
                    found = node;
                    timeline = other;
                }
            } catch (SQLException | RuntimeException e) {
                if (e instanceof WrongDatabaseException wrong) {
                    throw wrong;
                }
                problems.add(node.id().endpoint() + ": " + Failures.words(e));
                causes.add(e);
            }
        }
        if (found == null) {
            throw new NoPrimaryAnswersException(problems, causes);
        }
        return found;
    }

    private long timeline(Node node, boolean isShard) throws SQLException {
        try (Connection connection =
                        new PrimaryDataSource(node, options(node), QUESTION_LIMIT, QUESTION_LIMIT).getConnection();
                Statement statement = connection.createStatement()) {
            long timeline;
            boolean hasIdentity;
            try (ResultSet row = statement.executeQuery(TIMELINE)) {
                row.next();
                timeline = row.getLong(1);
                hasIdentity = row.getBoolean(2);
            }
            if (isShard && hasIdentity) {
                checkIdentity(node, statement);
            }
            return timeline;
        }
    }

    private void checkIdentity(Node node, Statement statement) throws SQLException {
        try (ResultSet row = statement.executeQuery(IDENTITY)) {
            if (!row.next()) {
                return;
            }
            String ofCluster = row.getString(1);
            String shard = row.getString(2);
            if (!shard.equals(node.id().shard().value()) || (cluster != null && !cluster.equals(ofCluster))) {
                throw new WrongDatabaseException(
                        node.id(),
                        "its database says that it is shard " + shard + " of cluster " + ofCluster,
                        "correct the URL; nothing was run there");
            }
        }
    }
}
