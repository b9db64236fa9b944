package io.reactiverouter.failover;

import io.r2dbc.spi.R2dbcTransientResourceException;
import io.reactiverouter.topology.ShardId;
import org.jspecify.annotations.Nullable;

/**
 * A read was to go to a replica, and none of its shard can be used: none is named, answers, or has applied enough. The cause is
 * the error of the last one that was tried, null if none was.
 */
public final class NoReplicaException extends R2dbcTransientResourceException {

    private static final long serialVersionUID = 1L;

    private final ShardId shard;

    NoReplicaException(ShardId shard, String what, @Nullable Throwable cause) {
        super(
                "shard " + shard + " has no replica to read from; " + what
                        + "; ReadPreference.preferReplica() reads from the primary then"
                        + (cause == null ? "" : ": " + cause.getMessage()),
                cause);
        this.shard = shard;
    }

    public ShardId shard() {
        return shard;
    }
}
