package io.reactiverouter.health;

import io.reactiverouter.connection.PoolStatistics;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.NodeRole;
import io.reactiverouter.topology.NodeState;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a node. Immutable; holds no password, though the server's own errors can name a user.
 *
 * @param node the node
 * @param state whether it is of use
 * @param since when it came into this state; null before the first probe
 * @param role what it said it was when it last answered
 * @param fenced whether it takes writes, as far as PostgreSQL is concerned, and must get none, or is of another database
 *     cluster than the others
 * @param timeline its timeline when it last answered, 0 before; each promotion begins a new one
 * @param lagBytes how much log it had not applied yet of what its primary had written; 0 for a primary
 * @param lag how old the last transaction is that it has applied, if it has not applied all; zero for a primary
 * @param latency how long its last answer took
 * @param failures failed probes in a row
 * @param lastError the last failure of a probe, null if there was none
 * @param errorRate which part of the last calls failed with the node, from 0 to 1: of the last twenty, or of those since calls
 *     found it failing and it was tried again. 0 if there were none. Errors that are the server's answer to a statement are no
 *     failures of the node
 * @param breakerOpen whether its circuit breaker is open: half of those calls failed, and it is ejected for that
 * @param lost whether it is ejected because so many probes in a row have failed
 * @param connections the node's pool
 */
public record NodeStatus(
        NodeId node,
        NodeState state,
        @Nullable Instant since,
        NodeRole role,
        boolean fenced,
        long timeline,
        long lagBytes,
        Duration lag,
        Duration latency,
        int failures,
        @Nullable String lastError,
        double errorRate,
        boolean breakerOpen,
        boolean lost,
        PoolStatistics connections) {

    /** Says whether it has been asked, and has never been able to say what it is: a wrong password is no sign of life. */
    boolean neverAnswered() {
        return role == NodeRole.UNKNOWN && lastError != null;
    }
}
