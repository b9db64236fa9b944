package io.reactiverouter.strategy;

import org.jspecify.annotations.Nullable;

/** A sharding key has no shard: it is null, or of a type or value that the strategy cannot place. No statement ran. */
public final class UnroutableKeyException extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    /** Says what is wrong with the key and what to pass instead. */
    public UnroutableKeyException(String message) {
        super(message);
    }

    /**
     * Returns {@code key}.
     *
     * @throws UnroutableKeyException if it is null
     */
    public static <T> T requireNonNull(@Nullable T key) {
        if (key == null) {
            throw new UnroutableKeyException("sharding key must not be null; a row without a key has no shard");
        }
        return key;
    }
}
