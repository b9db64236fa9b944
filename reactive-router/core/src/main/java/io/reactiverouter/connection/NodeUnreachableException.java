package io.reactiverouter.connection;

import io.r2dbc.spi.R2dbcTransientResourceException;
import io.reactiverouter.topology.NodeId;

/** A connection to a node could not be opened: it does not listen, cannot be found, or breaks off. Nothing ran. */
public final class NodeUnreachableException extends R2dbcTransientResourceException {

    private static final long serialVersionUID = 1L;

    private final NodeId node;

    NodeUnreachableException(NodeId node, Throwable cause) {
        super(
                "node " + node + " of shard " + node.shard()
                        + " cannot be reached; check that PostgreSQL listens there and"
                        + " accepts TCP connections from this machine: " + cause.getMessage(),
                cause);
        this.node = node;
    }

    public NodeId node() {
        return node;
    }
}
