package io.reactiverouter.connection;

import io.r2dbc.spi.R2dbcTimeoutException;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;

/**
 * A shard let the caller wait for longer than the call's time limit, or the {@link Deadline} came. Outside of a transaction the statement is cancelled,
 * and whether a write took effect is not known. A transaction of {@code inTransaction} that this happens in never
 * commits: it is rolled back, also where the work goes on after this error. Only if its commit had been sent by then is the
 * outcome not known. {@link #consequence()} tells these apart.
 */
public final class CallTimeoutException extends R2dbcTimeoutException {

    private static final long serialVersionUID = 1L;

    private final ShardId shard;
    private final Duration timeout;
    private final Consequence consequence;

    public CallTimeoutException(ShardId shard, Duration timeout, Consequence consequence) {
        this(
                shard,
                timeout,
                consequence,
                "shard " + shard + " gave no answer for " + timeout + "; " + consequence.text
                        + "; a call that may take longer sets its own time limit");
    }

    private CallTimeoutException(ShardId shard, Duration timeout, Consequence consequence, String message) {
        super(message);
        this.shard = shard;
        this.timeout = timeout;
        this.consequence = consequence;
    }

    /** Returns the error of a shard that had not delivered everything when the deadline of the whole call came. */
    public static CallTimeoutException deadline(ShardId shard, Duration limit, Consequence consequence) {
        return new CallTimeoutException(
                shard,
                limit,
                consequence,
                "shard " + shard + " had not delivered everything when the " + limit + " of the whole call were over; "
                        + consequence.text);
    }

    public ShardId shard() {
        return shard;
    }

    /** Returns the limit that was reached, or all the time that there was until the deadline. */
    public Duration timeout() {
        return timeout;
    }

    /** Returns what is known of the statement or transaction that was waited for. */
    public Consequence consequence() {
        return consequence;
    }

    /** What becomes of the statement that was waited for. */
    public enum Consequence {
        /** A call, or its last attempt, that has not begun, most often because it got no connection: nothing took effect. */
        NOT_RUN("it has not run, because no connection to the shard could be had in that time"),

        /** A call of its own: its statement is cancelled, and a write may have taken effect or not. */
        CANCELLED("its statement is cancelled"),

        /** A transaction of the cluster, or a call inside one: nothing of it takes effect. */
        ROLLED_BACK("the transaction is rolled back"),

        /** A transaction of the cluster whose commit has been sent: it may have taken effect or not. */
        COMMIT_UNKNOWN("whether the transaction was committed is not known: look before you repeat it"),

        /** A call inside a transaction that somebody else ends. */
        TO_ROLL_BACK(
                "the transaction that it ran in must be rolled back, since the statement may still take effect there");

        private final String text;

        Consequence(String text) {
            this.text = text;
        }
    }
}
