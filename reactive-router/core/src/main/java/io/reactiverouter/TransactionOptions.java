package io.reactiverouter;

import io.r2dbc.postgresql.api.PostgresTransactionDefinition;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.TransactionDefinition;
import java.util.Objects;

/**
 * How a transaction runs.
 *
 * @param isolation isolation level; read committed by default
 * @param readOnly whether the server refuses writes; false by default
 */
public record TransactionOptions(IsolationLevel isolation, boolean readOnly) {

    /** Read committed, for reads and writes. */
    public static final TransactionOptions DEFAULTS = new TransactionOptions(IsolationLevel.READ_COMMITTED, false);

    public TransactionOptions {
        Objects.requireNonNull(isolation, "isolation must not be null");
    }

    public TransactionOptions withIsolation(IsolationLevel level) {
        return new TransactionOptions(level, readOnly);
    }

    public TransactionOptions withReadOnly(boolean only) {
        return new TransactionOptions(isolation, only);
    }

    TransactionDefinition definition() {
        PostgresTransactionDefinition definition = PostgresTransactionDefinition.from(isolation);
        return readOnly ? definition.readOnly() : definition.readWrite();
    }
}
