package io.reactiverouter;

import io.reactiverouter.connection.CallTimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Decides which of two comes first, so that what is said of a transaction is true: its commit, or the end of the time for it or
 * for a call inside.
 */
final class CommitGate extends AtomicReference<CommitGate.@Nullable First> {

    private static final long serialVersionUID = 1L;

    enum First {
        COMMIT,
        END
    }

    private final boolean repeatable;

    /**
     * @param repeatable whether a commit may follow another one whose outcome is not known
     */
    CommitGate(boolean repeatable) {
        this.repeatable = repeatable;
    }

    /** Says whether the commit may be sent. */
    boolean pass() {
        return compareAndSet(null, First.COMMIT) || (repeatable && get() == First.COMMIT);
    }

    /** Says that the commit has failed for certain, so that the transaction may be tried again, and its next commit sent. */
    void reopen() {
        compareAndSet(First.COMMIT, null);
    }

    /** Lets no commit pass any more; returns what is known of the transaction. */
    CallTimeoutException.Consequence close() {
        return updateAndGet(first -> first == null ? First.END : first) == First.COMMIT
                ? CallTimeoutException.Consequence.COMMIT_UNKNOWN
                : CallTimeoutException.Consequence.ROLLED_BACK;
    }
}
