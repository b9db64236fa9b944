package io.reactiverouter.connection;

import io.r2dbc.spi.R2dbcNonTransientResourceException;
import io.reactiverouter.topology.NodeId;

/**
 * A connection has reached a database that is not the one of its shard, as after a slip in a URL or in DNS. It has been closed;
 * no statement ran.
 */
public final class WrongDatabaseException extends R2dbcNonTransientResourceException implements ConnectionRefusal {

    private static final long serialVersionUID = 1L;

    private final NodeId node;

    /**
     * Says what was found.
     *
     * @param found what the database says of itself, as a clause
     * @param remedy what to do, as a clause
     */
    public WrongDatabaseException(NodeId node, String found, String remedy) {
        super("node " + node + " is refused: " + found + "; " + remedy);
        this.node = node;
    }

    public NodeId node() {
        return node;
    }
}
