package io.reactiverouter;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.Row;
import io.reactiverouter.connection.ConnectionCheck;
import io.reactiverouter.connection.IncompatibleServerException;
import io.reactiverouter.connection.NotPrimaryException;
import io.reactiverouter.health.HealthMonitor;
import io.reactiverouter.routing.RoutingTable;
import io.reactiverouter.strategy.GoldenKeys;
import io.reactiverouter.topology.NodeId;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/**
 * Lets a new connection into its pool if its server places keys as this library does and, where it is to take writes, if it is
 * the primary: the first connection to a shard waits until all of its nodes have been asked, and a node that has become a
 * standby is found out before a statement runs; and if its database is the one of the shard, where the database says which
 * it is. One round trip, or two.
 */
final class Admission implements ConnectionCheck {

    private static final String RECOVERY = "recovery";
    private static final String IDENTITY = "identity";
    private static final Query QUESTION = Query.of(GoldenKeys.QUERY
                    + ", pg_is_in_recovery()::int::bigint as " + RECOVERY
                    + ", (" + Identity.existing() + ")::int::bigint as " + IDENTITY)
            .fetchSize(0);

    private final RoutingTable table;
    private final @Nullable String cluster;
    private volatile @Nullable HealthMonitor health;

    /**
     * @param cluster name of the cluster that databases must say they belong to; null if they need not
     */
    Admission(RoutingTable table, @Nullable String cluster) {
        this.table = table;
        this.cluster = cluster;
    }

    /** Sets who knows the nodes' roles, before the first connection is opened. */
    void ask(HealthMonitor monitor) {
        health = monitor;
    }

    private record Found(@Nullable String mismatch, boolean inRecovery, boolean hasIdentity) {

        static Found of(Row row) {
            return new Found(
                    GoldenKeys.mismatch(column -> Objects.requireNonNull(row.get(column, Long.class))),
                    Objects.requireNonNull(row.get(RECOVERY, Long.class)) != 0,
                    Objects.requireNonNull(row.get(IDENTITY, Long.class)) != 0);
        }
    }

    @Override
    public Mono<Void> check(NodeId node, Connection connection) {
        return QUESTION.fetch(connection, Found::of).single().flatMap(found -> judge(node, found, connection));
    }

    private Mono<Void> judge(NodeId node, Found found, Connection connection) {
        if (found.mismatch() != null) {
            return Mono.error(new IncompatibleServerException(node, found.mismatch()));
        }
        return Identity.check(node, connection, found.hasIdentity(), cluster)
                .then(Mono.defer(() -> judgeRole(node, found)));
    }

    private Mono<Void> judgeRole(NodeId node, Found found) {
        HealthMonitor monitor = Objects.requireNonNull(health, "no monitor");
        monitor.start();
        if (!table.takesWrites(node)) {
            // For reads, or for callers who asked for it when it was the primary: they are told.
            return found.inRecovery()
                    ? monitor.verify(node.shard())
                            .then(Mono.defer(() -> table.isReadable(node) ? Mono.empty() : notPrimary(node)))
                    : notPrimary(node);
        }
        if (found.inRecovery()) {
            monitor.suspect(node);
            return Mono.error(new NotPrimaryException(node, "it is in recovery, as standbys are"));
        }
        return monitor.verify(node.shard())
                .then(Mono.defer(() -> table.takesWrites(node) ? Mono.empty() : notPrimary(node)));
    }

    private Mono<Void> notPrimary(NodeId node) {
        NodeId primary = table.primary(node.shard());
        return Mono.error(new NotPrimaryException(
                node, primary.equals(node) ? "it is fenced off" : "the writes go to " + primary.endpoint()));
    }
}
