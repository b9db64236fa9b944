package io.reactiverouter.aggregate;

import io.r2dbc.spi.R2dbcNonTransientException;

/**
 * The merged result does not fit its PostgreSQL type, though that of each shard did. One database would have failed with
 * the same SQLSTATE, {@value #SQL_STATE}.
 */
public final class AggregateOverflowException extends R2dbcNonTransientException {

    /** numeric_value_out_of_range. */
    public static final String SQL_STATE = "22003";

    private static final long serialVersionUID = 1L;

    AggregateOverflowException(String message) {
        super(message, SQL_STATE);
    }
}
