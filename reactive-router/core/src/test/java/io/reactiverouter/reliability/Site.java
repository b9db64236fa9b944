package io.reactiverouter.reliability;

import io.reactiverouter.TestClusters;
import io.reactiverouter.test.ShardServer;
import io.reactiverouter.topology.ShardId;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The two servers of a shard and who is who, as whoever promotes them knows it. Not thread-safe. */
final class Site {

    private static final Duration LIMIT = Duration.ofSeconds(30);

    private final ShardId id;
    private final boolean synchronous;
    private ShardServer primary;
    private ShardServer replica;

    Site(ShardId id, ShardServer primary, ShardServer replica, boolean synchronous) {
        this.id = id;
        this.primary = primary;
        this.replica = replica;
        this.synchronous = synchronous;
    }

    ShardId id() {
        return id;
    }

    ShardServer primary() {
        return primary;
    }

    ShardServer replica() {
        return replica;
    }

    /** Makes the replica the primary, and the other one what is left of the former primary. */
    void promote() {
        replica.promote();
        ShardServer former = primary;
        primary = replica;
        replica = former;
    }

    /** Makes what is left of a former primary a standby. */
    void rejoin() {
        replica.follow(primary);
        waitForReplica();
    }

    /**
     * From now on commits wait for the replica, if the run is one with synchronous replication. As a tool for failover does,
     * only while there is one: a primary that has just been promoted goes on alone. Returns when the replica has all that was
     * committed before.
     */
    void waitForReplica() {
        if (synchronous) {
            asSuperuser("alter system set synchronous_standby_names = '*'");
            asSuperuser("select pg_reload_conf()");
            TestClusters.await("replica of " + id + " is synchronous", LIMIT, this::isSynchronous);
        }
        awaitReplay();
    }

    private boolean isSynchronous() {
        return "1"
                .equals(asSuperuser("select count(*) from pg_stat_replication where sync_state = 'sync'"
                        + " and current_setting('synchronous_standby_names') = '*'"));
    }

    /** Returns when the replica has all that the primary has committed by now. */
    void awaitReplay() {
        replica.awaitReplayOf(primary);
    }

    /** Runs a statement on the primary, over the network; returns the first value of the first row, null if there is none. */
    @Nullable String asSuperuser(String sql) {
        try (Connection connection = primary.node().openSuperuserJdbc();
                Statement statement = connection.createStatement()) {
            if (!statement.execute(sql)) {
                return null;
            }
            try (ResultSet result = statement.getResultSet()) {
                return result.next() ? result.getString(1) : null;
            }
        } catch (SQLException e) {
            throw new IllegalStateException(sql + " on " + primary, e);
        }
    }

    @Override
    public String toString() {
        return id.toString();
    }
}
