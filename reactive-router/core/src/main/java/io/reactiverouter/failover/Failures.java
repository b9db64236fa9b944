package io.reactiverouter.failover;

import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.connection.AcquireTimeoutException;
import io.reactiverouter.connection.NodeUnreachableException;
import io.reactiverouter.connection.NotPrimaryException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What an error says about its node. By SQLSTATE: the driver's exception types are too coarse. */
final class Failures {

    /**
     * Of a server that does not serve at the moment: it is being shut down, has crashed, or starts up; all its connections are
     * taken.
     */
    private static final Set<String> NOT_SERVING = Set.of("57P01", "57P02", "57P03", "53300");

    /** A write on a standby. */
    private static final String READ_ONLY = "25006";

    private static final String CONNECTION_EXCEPTION = "08";

    private Failures() {}

    /** Says whether another node, or this one later, could do what this one did not begin to do. */
    static boolean isOfTheNode(Throwable error) {
        return error instanceof NodeUnreachableException
                || error instanceof NotPrimaryException
                || (error instanceof R2dbcException refusal && isNotServing(refusal.getSqlState()));
    }

    /** Says whether a node should be looked at because of an error. */
    static boolean isSuspicious(Throwable error) {
        return isOfTheNode(error)
                || error instanceof AcquireTimeoutException
                || (error instanceof R2dbcException refusal && READ_ONLY.equals(refusal.getSqlState()));
    }

    private static boolean isNotServing(@Nullable String state) {
        return state != null && (NOT_SERVING.contains(state) || state.startsWith(CONNECTION_EXCEPTION));
    }
}
