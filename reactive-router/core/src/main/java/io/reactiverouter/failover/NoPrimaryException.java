package io.reactiverouter.failover;

import io.r2dbc.spi.R2dbcTransientResourceException;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A shard has had no primary that answers for as long as calls may wait for one. The call has not run: it can be made again.
 * The cause is the error that it waited after, null if the shard was known to have no primary before.
 */
public final class NoPrimaryException extends R2dbcTransientResourceException {

    private static final long serialVersionUID = 1L;

    private final ShardId shard;
    private final Duration waited;

    NoPrimaryException(ShardId shard, Duration waited, String what, @Nullable Throwable cause) {
        super(
                "shard " + shard + " has no primary that answers; " + what + "; the call has not run"
                        + (cause == null ? "" : ": " + cause.getMessage()),
                cause);
        this.shard = shard;
        this.waited = waited;
    }

    public ShardId shard() {
        return shard;
    }

    /** Returns how long the call has waited. */
    public Duration waited() {
        return waited;
    }
}
