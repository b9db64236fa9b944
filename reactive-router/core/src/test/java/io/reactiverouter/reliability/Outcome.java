package io.reactiverouter.reliability;

import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.connection.AcquireTimeoutException;
import io.reactiverouter.connection.CallTimeoutException;
import io.reactiverouter.connection.CallTimeoutException.Consequence;
import io.reactiverouter.connection.NodeUnreachableException;
import io.reactiverouter.connection.NotPrimaryException;
import io.reactiverouter.connection.PoolExhaustedException;
import io.reactiverouter.failover.NoPrimaryException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a caller knows of an operation that has ended. All that is believed of the library's errors stands here. */
enum Outcome {
    /** It has taken effect, once. */
    ACKNOWLEDGED,

    /** It has no effect. */
    FAILED,

    /** It has taken effect once, or not. */
    UNKNOWN;

    /** Errors whose documentation says that nothing has run. */
    private static final Set<Class<? extends Throwable>> NOT_RUN = Set.of(
            NoPrimaryException.class,
            NodeUnreachableException.class,
            NotPrimaryException.class,
            AcquireTimeoutException.class,
            PoolExhaustedException.class);

    /**
     * Classes of SQLSTATE with which the server refuses a statement, and so rolls it back: no right to connect, cardinality,
     * data, constraints, transaction state, conflicts (but 40003), syntax, resources, object state.
     */
    private static final Set<String> REFUSED = Set.of("0A", "21", "22", "23", "25", "28", "40", "42", "53", "55");

    private static final String COMPLETION_UNKNOWN = "40003";
    private static final String CANNOT_CONNECT_NOW = "57P03";

    /** A statement that was cancelled. After its commit a server would report success, with a warning. */
    private static final String CANCELLED = "57014";

    /**
     * Judges an error.
     *
     * @param committing whether the error can be one of a commit, or of a statement that commits by itself: the work of a
     *     transaction that has not completed has not asked for its commit
     */
    static Outcome of(Throwable error, boolean committing) {
        if (!committing || NOT_RUN.contains(error.getClass())) {
            return FAILED;
        }
        if (error instanceof CallTimeoutException late) {
            return late.consequence() == Consequence.NOT_RUN || late.consequence() == Consequence.ROLLED_BACK
                    ? FAILED
                    : UNKNOWN;
        }
        return error instanceof R2dbcException refusal && isRefused(refusal.getSqlState()) ? FAILED : UNKNOWN;
    }

    private static boolean isRefused(@Nullable String state) {
        return state != null
                && state.length() == 5
                && !state.equals(COMPLETION_UNKNOWN)
                && (REFUSED.contains(state.substring(0, 2))
                        || state.equals(CANCELLED)
                        || state.equals(CANNOT_CONNECT_NOW));
    }

    /** Names an error in a few words, without what is different each time. */
    static String describe(Throwable error) {
        String name = error.getClass().getSimpleName();
        if (error instanceof CallTimeoutException late) {
            return name + " " + late.consequence();
        }
        if (error instanceof R2dbcException refusal && refusal.getSqlState() != null) {
            return name + " " + refusal.getSqlState();
        }
        return name;
    }
}
