package io.reactiverouter.connection;

import io.r2dbc.spi.R2dbcNonTransientResourceException;

/** The cluster has been closed. The statement did not run. */
public final class ClusterClosedException extends R2dbcNonTransientResourceException {

    private static final long serialVersionUID = 1L;

    public ClusterClosedException() {
        super("the shard cluster is closed; build a new one, or close it after its last use");
    }
}
