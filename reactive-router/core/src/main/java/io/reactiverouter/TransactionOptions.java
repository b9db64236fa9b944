package io.reactiverouter;

import io.r2dbc.postgresql.api.PostgresTransactionDefinition;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.TransactionDefinition;
import io.reactiverouter.connection.Limits;
import java.util.Objects;

/**
 * How a transaction runs.
 *
 * @param isolation isolation level; read committed by default
 * @param readOnly whether the server refuses writes; false by default
 * @param retries how often at most the whole transaction is run again after a serialization failure (40001) or a deadlock
 *     (40P01), at its commit too, or after a node that has lost the writes of its shard refused one (25006), always from the
 *     start and with a pause before; 0 by default. The work is then called again: what it does beside sending statements is done
 *     again too. Never after a commit whose answer was lost, and never once a result has been delivered
 */
public record TransactionOptions(IsolationLevel isolation, boolean readOnly, int retries) {

    /** Read committed, for reads and writes, run once. */
    public static final TransactionOptions DEFAULTS = new TransactionOptions(IsolationLevel.READ_COMMITTED, false, 0);

    public TransactionOptions {
        Objects.requireNonNull(isolation, "isolation must not be null");
        Limits.atLeast("retries of a transaction", 0, retries);
    }

    public TransactionOptions withIsolation(IsolationLevel level) {
        return new TransactionOptions(level, readOnly, retries);
    }

    public TransactionOptions withReadOnly(boolean only) {
        return new TransactionOptions(isolation, only, retries);
    }

    public TransactionOptions withRetries(int times) {
        return new TransactionOptions(isolation, readOnly, times);
    }

    TransactionDefinition definition() {
        PostgresTransactionDefinition definition = PostgresTransactionDefinition.from(isolation);
        return readOnly ? definition.readOnly() : definition.readWrite();
    }
}
