package io.reactiverouter.connection;

import io.r2dbc.spi.R2dbcTransientResourceException;
import io.reactiverouter.topology.NodeId;

/** A node was to take writes and is not the primary of its shard, as after a switch-over. Nothing ran. */
public final class NotPrimaryException extends R2dbcTransientResourceException implements ConnectionRefusal {

    private static final long serialVersionUID = 1L;

    private final NodeId node;

    /**
     * Says why.
     *
     * @param reason what was found, as a clause
     */
    public NotPrimaryException(NodeId node, String reason) {
        super("node " + node + " is not the primary of shard " + node.shard() + ": " + reason);
        this.node = node;
    }

    public NodeId node() {
        return node;
    }
}
