package io.reactiverouter.connection;

import io.r2dbc.spi.R2dbcTimeoutException;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;

/**
 * A shard let the caller wait for longer than the call's time limit. Outside of a transaction the statement is cancelled,
 * and whether a write took effect is not known. A transaction of {@code inTransaction} that this happens in never
 * commits: it is rolled back, also where the work goes on after this error.
 */
public final class CallTimeoutException extends R2dbcTimeoutException {

    private static final long serialVersionUID = 1L;

    private final ShardId shard;
    private final Duration timeout;

    public CallTimeoutException(ShardId shard, Duration timeout, Consequence consequence) {
        this(
                shard,
                timeout,
                "shard " + shard + " gave no answer for " + timeout + "; " + consequence.text
                        + "; a call that may take longer sets its own time limit");
    }

    private CallTimeoutException(ShardId shard, Duration timeout, String message) {
        super(message);
        this.shard = shard;
        this.timeout = timeout;
    }

    /** Returns the error of a shard that had not delivered everything when the deadline of the whole call came. */
    public static CallTimeoutException deadline(ShardId shard, Duration limit) {
        return new CallTimeoutException(
                shard,
                limit,
                "shard " + shard + " had not delivered everything when the " + limit
                        + " of the whole call were over; its statement is cancelled");
    }

    public ShardId shard() {
        return shard;
    }

    public Duration timeout() {
        return timeout;
    }

    /** What becomes of the statement that was waited for. */
    public enum Consequence {
        /** A call of its own: its statement is cancelled. */
        CANCELLED("its statement is cancelled"),

        /** A call inside a transaction of the cluster. */
        ROLLED_BACK("the transaction that it ran in is rolled back"),

        /** A call inside a transaction that somebody else ends. */
        TO_ROLL_BACK(
                "the transaction that it ran in must be rolled back, since the statement may still take effect there");

        private final String text;

        Consequence(String text) {
            this.text = text;
        }
    }
}
