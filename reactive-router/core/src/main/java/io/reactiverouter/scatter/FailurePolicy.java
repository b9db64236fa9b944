package io.reactiverouter.scatter;

/** What the failure of one shard does to a scatter-gather. */
public enum FailurePolicy {
    /** The first failure ends the call with that error and stops the other shards. The default. */
    FAIL_FAST,
    /** A failing shard is left out; the rows of the others are delivered, and the manifest says that some are missing. */
    BEST_EFFORT
}
