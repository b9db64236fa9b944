package io.reactiverouter.observation;

import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.NodeState;
import io.reactiverouter.topology.ShardId;
import reactor.util.Logger;
import reactor.util.Loggers;

/** Keeps what a listener throws away from the calls that it hears of. */
final class GuardedListener implements ClusterListener {

    private static final Logger LOG = Loggers.getLogger(GuardedListener.class);

    private final ClusterListener delegate;

    GuardedListener(ClusterListener delegate) {
        this.delegate = delegate;
    }

    @Override
    public void acquired(NodeId node, long waitNanos) {
        guard(() -> delegate.acquired(node, waitNanos));
    }

    @Override
    public void acquireFailed(NodeId node, long waitNanos, Throwable cause) {
        guard(() -> delegate.acquireFailed(node, waitNanos, cause));
    }

    @Override
    public boolean hearsCompletions() {
        return delegate.hearsCompletions();
    }

    @Override
    public void completed(NodeId node, CallOutcome outcome, long elapsedNanos) {
        guard(() -> delegate.completed(node, outcome, elapsedNanos));
    }

    @Override
    public void retried(NodeId node, int count, Throwable cause) {
        guard(() -> delegate.retried(node, count, cause));
    }

    @Override
    public void hedged(NodeId node) {
        guard(() -> delegate.hedged(node));
    }

    @Override
    public void discarded(NodeId node, String reason) {
        guard(() -> delegate.discarded(node, reason));
    }

    @Override
    public void leakSuspected(NodeId node, long heldNanos, Throwable acquiredAt) {
        guard(() -> delegate.leakSuspected(node, heldNanos, acquiredAt));
    }

    @Override
    public void stateChanged(NodeId node, NodeState before, NodeState after, String reason) {
        guard(() -> delegate.stateChanged(node, before, after, reason));
    }

    @Override
    public void primaryChanged(ShardId shard, NodeId before, NodeId after, String reason) {
        guard(() -> delegate.primaryChanged(shard, before, after, reason));
    }

    @Override
    public void fenced(NodeId node, String reason) {
        guard(() -> delegate.fenced(node, reason));
    }

    private static void guard(Runnable call) {
        try {
            call.run();
        } catch (Throwable e) {
            // Errors too: whoever called still has a connection to give back.
            LOG.warn("a cluster listener failed", e);
        }
    }
}
