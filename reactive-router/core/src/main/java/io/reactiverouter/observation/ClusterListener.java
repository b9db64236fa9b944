package io.reactiverouter.observation;

import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.NodeState;
import io.reactiverouter.topology.ShardId;
import java.util.List;

/**
 * Hears what happens on the nodes of a cluster. Every method does nothing unless overridden.
 *
 * <p>Methods run on event loops and on callers' threads, concurrently: they must be thread-safe, must not block and should
 * not throw. What they throw is logged and changes nothing. Times are in nanoseconds of {@link System#nanoTime()}.
 */
public interface ClusterListener {

    /** Hears nothing; with it the router takes no times. */
    ClusterListener NONE = new ClusterListener() {
        @Override
        public boolean hearsCompletions() {
            return false;
        }
    };

    /** Returns a listener that tells all of these, in this order. */
    static ClusterListener of(List<? extends ClusterListener> several) {
        List<ClusterListener> real = several.stream()
                .filter(each -> each != NONE)
                .<ClusterListener>map(each -> each)
                .toList();
        return switch (real.size()) {
            case 0 -> NONE;
            case 1 -> real.get(0);
            default -> new SeveralListeners(real);
        };
    }

    /** Returns a listener whose exceptions are logged and go no further; {@link #NONE} stays itself. */
    static ClusterListener guarded(ClusterListener listener) {
        return listener == NONE ? NONE : new GuardedListener(listener);
    }

    /** A connection was handed out after this wait. */
    default void acquired(NodeId node, long waitNanos) {}

    /** No connection could be had: the pool is full, the wait was too long, or the node cannot be reached. */
    default void acquireFailed(NodeId node, long waitNanos, Throwable cause) {}

    /**
     * Says whether {@link #completed} is told at all, which costs each call something: asked once, when the cluster is built.
     * True by default.
     */
    default boolean hearsCompletions() {
        return true;
    }

    /** A single-shard call, or one shard's part of a scatter-gather, ended; the time includes the wait for a connection. */
    default void completed(NodeId node, CallOutcome outcome, long elapsedNanos) {}

    /**
     * Something that had begun is run again, for this cause: a statement or transaction that its owner lets be run again, or
     * that has provably done nothing.
     *
     * @param node where it failed
     * @param count 1 with the first retry of a call
     */
    default void retried(NodeId node, int count, Throwable cause) {}

    /** A node is asked for a read that another one lets wait for longer than most. */
    default void hedged(NodeId node) {}

    /** A connection was closed in place of going back to the pool, because its state was not known to be clean. */
    default void discarded(NodeId node, String reason) {}

    /**
     * A connection has been out of its pool for longer than its leak threshold, see
     * {@code PoolSettings.leakThreshold}; told once for each time it is taken.
     *
     * @param acquiredAt its stack trace shows who asked for the connection: who subscribed to the call, unless that had to
     *     wait for a primary
     */
    default void leakSuspected(NodeId node, long heldNanos, Throwable acquiredAt) {}

    /** A node came into another state, for this reason. */
    default void stateChanged(NodeId node, NodeState before, NodeState after, String reason) {}

    /** The writes of a shard go to another node from now on. */
    default void primaryChanged(ShardId shard, NodeId before, NodeId after, String reason) {}

    /**
     * A node takes writes as if it were its shard's primary, and is not: other clients may be losing theirs there. It gets
     * none from this cluster. Called once until the node changes.
     */
    default void fenced(NodeId node, String reason) {}
}
