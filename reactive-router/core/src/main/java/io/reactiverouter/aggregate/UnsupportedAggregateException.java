package io.reactiverouter.aggregate;

/**
 * Partial states of such a column cannot be merged to what one database would say, or the shards disagree about its type.
 * The message names the column, its type and what to write instead. No row was read.
 */
public final class UnsupportedAggregateException extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    UnsupportedAggregateException(String message) {
        super(message);
    }

    UnsupportedAggregateException(String message, Throwable cause) {
        super(message, cause);
    }
}
