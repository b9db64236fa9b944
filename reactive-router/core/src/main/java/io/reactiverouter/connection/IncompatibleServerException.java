package io.reactiverouter.connection;

import io.r2dbc.spi.R2dbcNonTransientResourceException;
import io.reactiverouter.topology.NodeId;

/** A server places keys in another way than this library. The connection has been closed; no statement ran. */
public final class IncompatibleServerException extends R2dbcNonTransientResourceException implements ConnectionRefusal {

    private static final long serialVersionUID = 1L;

    private final NodeId node;

    public IncompatibleServerException(NodeId node, String reason) {
        super("node " + node + " is refused: " + reason
                + ", so SQL there would contradict the router; use PostgreSQL on a"
                + " little-endian machine and a database in UTF-8");
        this.node = node;
    }

    public NodeId node() {
        return node;
    }
}
