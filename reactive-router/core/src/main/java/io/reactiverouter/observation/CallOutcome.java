package io.reactiverouter.observation;

/** How a call on a node ended. */
public enum CallOutcome {
    /** All signals were delivered. */
    COMPLETE,
    /** It failed, in the database, on the way or in the caller's function. */
    FAILED,
    /** The subscriber went away, or a time limit passed. */
    CANCELLED
}
