package io.reactiverouter.observation;

/** How many shards a call is for. */
public enum CallKind {
    /** One shard, that of a key or a named one. */
    SINGLE,
    /** Several shards, whose answers are merged; also if they turn out to be one. */
    SCATTER
}
