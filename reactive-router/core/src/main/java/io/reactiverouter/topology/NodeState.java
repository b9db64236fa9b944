package io.reactiverouter.topology;

/** Whether a node is of use. */
public enum NodeState {
    /** It answers, or has not been asked yet. */
    HEALTHY,
    /** A replica that answers, but has applied too little of what its primary has written. */
    LAGGING,
    /** It has not answered several times in a row, and is not used as long as another node can be. */
    EJECTED
}
