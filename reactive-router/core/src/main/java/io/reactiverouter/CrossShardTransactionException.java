package io.reactiverouter;

import io.r2dbc.spi.R2dbcNonTransientException;
import io.reactiverouter.topology.ShardId;

/**
 * A transaction on one shard tried to use another. The statement did not run; unless the error is handled inside, the
 * transaction is rolled back.
 */
public final class CrossShardTransactionException extends R2dbcNonTransientException {

    private static final long serialVersionUID = 1L;

    private final ShardId active;

    CrossShardTransactionException(ShardId active, String requested) {
        super("the transaction on shard " + active + " cannot use " + requested
                + ": a transaction never leaves its shard; make the call before or after it, or give the rows one key");
        this.active = active;
    }

    /** Returns the shard of the transaction. */
    public ShardId active() {
        return active;
    }
}
