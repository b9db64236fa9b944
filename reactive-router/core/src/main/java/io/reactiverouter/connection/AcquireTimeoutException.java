package io.reactiverouter.connection;

import io.r2dbc.spi.R2dbcTimeoutException;
import io.reactiverouter.topology.NodeId;
import java.time.Duration;

/** No connection of a node became free, or could be opened, in time. The statement did not run. */
public final class AcquireTimeoutException extends R2dbcTimeoutException {

    private static final long serialVersionUID = 1L;

    private final NodeId node;
    private final Duration timeout;

    AcquireTimeoutException(NodeId node, Duration timeout, PoolStatistics statistics, Throwable cause) {
        super(
                "no connection to " + node + " within " + timeout + " (" + statistics
                        + "); if all are acquired, work holds them too long or maxSize is too small, else the node is slow to"
                        + " answer",
                cause);
        this.node = node;
        this.timeout = timeout;
    }

    public NodeId node() {
        return node;
    }

    public Duration timeout() {
        return timeout;
    }
}
