package io.reactiverouter.failover;

import io.r2dbc.spi.R2dbcTransientResourceException;
import io.reactiverouter.topology.NodeId;

/** A replica has not applied what a read must see. */
final class NotCaughtUpException extends R2dbcTransientResourceException {

    private static final long serialVersionUID = 1L;

    NotCaughtUpException(NodeId node, String reason) {
        super("node " + node + " cannot be read from: " + reason);
    }
}
