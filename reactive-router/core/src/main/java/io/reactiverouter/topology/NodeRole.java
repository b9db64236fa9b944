package io.reactiverouter.topology;

/** What a node says it is. */
public enum NodeRole {
    /** It takes writes. */
    PRIMARY,
    /** It applies what a primary writes, and answers reads. */
    REPLICA,
    /** It has never answered. */
    UNKNOWN
}
