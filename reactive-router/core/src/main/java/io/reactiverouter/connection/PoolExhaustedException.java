package io.reactiverouter.connection;

import io.r2dbc.spi.R2dbcTransientResourceException;
import io.reactiverouter.topology.NodeId;

/** All connections of a node are in use and as many callers wait as may wait. The statement did not run. */
public final class PoolExhaustedException extends R2dbcTransientResourceException {

    private static final long serialVersionUID = 1L;

    private final NodeId node;
    private final int limit;
    private final int pending;

    PoolExhaustedException(NodeId node, int limit, int pending, Throwable cause) {
        super(
                "pool of " + node + " is exhausted: all " + limit + " connections are in use and " + pending
                        + " callers wait already; send less at once, or raise the pool's maxSize or maxPending",
                cause);
        this.node = node;
        this.limit = limit;
        this.pending = pending;
    }

    public NodeId node() {
        return node;
    }

    /** Returns the pool's largest size. */
    public int limit() {
        return limit;
    }

    /** Returns how many callers may wait. */
    public int pending() {
        return pending;
    }
}
