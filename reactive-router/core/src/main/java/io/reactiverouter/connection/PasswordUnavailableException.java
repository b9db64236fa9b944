package io.reactiverouter.connection;

import io.r2dbc.spi.R2dbcTransientResourceException;
import io.reactiverouter.topology.NodeId;

/** The password for a new connection could not be read from its file, or its supplier failed. Nothing ran. */
public final class PasswordUnavailableException extends R2dbcTransientResourceException implements ConnectionRefusal {

    private static final long serialVersionUID = 1L;

    private final NodeId node;

    PasswordUnavailableException(NodeId node, RuntimeException cause) {
        super("no password for node " + node + ": " + cause.getMessage(), cause);
        this.node = node;
    }

    public NodeId node() {
        return node;
    }
}
