package io.reactiverouter.observation;

/** Why a connection of a node's pool was closed. Each has one reason: the first that came up. */
public enum CloseReason {
    /** Nobody had used it for as long as the pool's {@code maxIdleTime}. */
    IDLE,
    /** It had been open for as long as the pool's {@code maxLifetime}. */
    LIFETIME,
    /**
     * It was new, and a check did not accept it or got no answer in time: the wrong database, a node that is not primary, a
     * server that hashes differently.
     */
    REFUSED,
    /** It came back, and the server did not answer all that it had been sent, or its session could not be reset. */
    UNSETTLED,
    /** Its prepared statements were not valid any more, or its owner had left on its session what cannot be undone. */
    SPOILT,
    /** Its node has lost the writes of the shard. */
    FENCED,
    /** The server or the network ended it. */
    BROKEN,
    /** The cluster was closed. */
    SHUTDOWN
}
