package io.reactiverouter.connection;

import io.r2dbc.spi.R2dbcTimeoutException;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;

/**
 * A shard let the caller wait for longer than the call's time limit. The statement has been cancelled; whether a write
 * took effect is not known, unless it ran in a transaction whose commit had not begun.
 */
public final class CallTimeoutException extends R2dbcTimeoutException {

    private static final long serialVersionUID = 1L;

    private final ShardId shard;
    private final Duration timeout;

    public CallTimeoutException(ShardId shard, Duration timeout) {
        super("shard " + shard + " gave no answer for " + timeout
                + "; its statement has been cancelled; a call that may take longer sets its own time limit");
        this.shard = shard;
        this.timeout = timeout;
    }

    public ShardId shard() {
        return shard;
    }

    public Duration timeout() {
        return timeout;
    }
}
