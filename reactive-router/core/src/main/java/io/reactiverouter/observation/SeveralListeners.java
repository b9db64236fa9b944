package io.reactiverouter.observation;

import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.NodeState;
import io.reactiverouter.topology.ShardId;
import java.util.List;

/** Tells each of them, whatever the others throw. */
final class SeveralListeners implements ClusterListener {

    private final List<ClusterListener> listeners;

    SeveralListeners(List<? extends ClusterListener> listeners) {
        this.listeners = listeners.stream().map(ClusterListener::guarded).toList();
    }

    @Override
    public void acquired(NodeId node, long waitNanos) {
        listeners.forEach(each -> each.acquired(node, waitNanos));
    }

    @Override
    public void acquireFailed(NodeId node, long waitNanos, Throwable cause) {
        listeners.forEach(each -> each.acquireFailed(node, waitNanos, cause));
    }

    @Override
    public boolean hearsCompletions() {
        return listeners.stream().anyMatch(ClusterListener::hearsCompletions);
    }

    @Override
    public void completed(NodeId node, CallOutcome outcome, long elapsedNanos) {
        listeners.forEach(each -> each.completed(node, outcome, elapsedNanos));
    }

    @Override
    public void retried(NodeId node, int count, Throwable cause) {
        listeners.forEach(each -> each.retried(node, count, cause));
    }

    @Override
    public void hedged(NodeId node) {
        listeners.forEach(each -> each.hedged(node));
    }

    @Override
    public void discarded(NodeId node, String reason) {
        listeners.forEach(each -> each.discarded(node, reason));
    }

    @Override
    public void leakSuspected(NodeId node, long heldNanos, Throwable acquiredAt) {
        listeners.forEach(each -> each.leakSuspected(node, heldNanos, acquiredAt));
    }

    @Override
    public void stateChanged(NodeId node, NodeState before, NodeState after, String reason) {
        listeners.forEach(each -> each.stateChanged(node, before, after, reason));
    }

    @Override
    public void primaryChanged(ShardId shard, NodeId before, NodeId after, String reason) {
        listeners.forEach(each -> each.primaryChanged(shard, before, after, reason));
    }

    @Override
    public void fenced(NodeId node, String reason) {
        listeners.forEach(each -> each.fenced(node, reason));
    }
}
