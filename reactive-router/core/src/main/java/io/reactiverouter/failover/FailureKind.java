package io.reactiverouter.failover;

import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.connection.NodeUnreachableException;
import io.reactiverouter.connection.NotPrimaryException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an error says about the statement that failed and about its node. By SQLSTATE: the driver's exception types are too
 * coarse. That an error would permit to run something again does not mean that it is done: see {@link Replay}.
 */
public enum FailureKind {

    /**
     * The node does not serve: it cannot be reached, starts up (57P03), has no connection left (53300) or is not the primary. A
     * connection could not be opened, so that nothing ran.
     */
    REFUSED,

    /**
     * The connection broke (class 08) or its server ended it (57P01, 57P02). Of a statement that was under way nobody knows
     * whether it took effect.
     */
    BROKEN,

    /** A write on a node that takes none (25006), as a standby. It has not taken effect. */
    READ_ONLY,

    /**
     * Another transaction was in the way (40001 serialization failure, 40P01 deadlock). The transaction is rolled back and
     * would perhaps succeed if it were run again.
     */
    CONFLICT,

    /**
     * Everything else: the server's answer to the statement, as 23505 or 42P01, a lock that was not to be had in time
     * (55P03), a statement that was cancelled (57014), or an error of the caller's own code. Again would be the same.
     */
    OTHER;

    private static final Set<String> NOT_SERVING = Set.of("57P03", "53300");
    private static final Set<String> ENDED = Set.of("57P01", "57P02");
    private static final Set<String> CONFLICTS = Set.of("40001", "40P01");
    private static final String READ_ONLY_TRANSACTION = "25006";
    private static final String CONNECTION_EXCEPTION = "08";

    /** Returns what kind of failure an error is; causes do not count. */
    public static FailureKind of(Throwable error) {
        if (error instanceof NodeUnreachableException || error instanceof NotPrimaryException) {
            return REFUSED;
        }
        return error instanceof R2dbcException refusal ? ofState(refusal.getSqlState()) : OTHER;
    }

    private static FailureKind ofState(@Nullable String state) {
        if (state == null) {
            return OTHER;
        }
        if (NOT_SERVING.contains(state)) {
            return REFUSED;
        }
        if (ENDED.contains(state) || state.startsWith(CONNECTION_EXCEPTION)) {
            return BROKEN;
        }
        if (CONFLICTS.contains(state)) {
            return CONFLICT;
        }
        return state.equals(READ_ONLY_TRANSACTION) ? READ_ONLY : OTHER;
    }

    /** Says whether another node, or this one later, could do what this one did not begin to do. */
    boolean isOfTheNode() {
        return this == REFUSED || this == BROKEN;
    }

    /** Says whether the node should be looked at. */
    boolean isSuspicious() {
        return isOfTheNode() || this == READ_ONLY;
    }
}
