package io.reactiverouter.routing;

import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.NodeState;
import java.time.Duration;

/**
 * A node that reads can go to, as it was at its last probe.
 *
 * @param node the node
 * @param primary whether it takes the writes of its shard
 * @param state whether it is of use
 * @param answers whether it has answered its last probe
 * @param position how far it had applied, or as a primary written, the write-ahead log
 * @param lagBytes how much of its primary's log it had not applied yet
 * @param lag how far it was behind in time
 * @param latency how long its answer took
 */
public record ReadTarget(
        NodeId node,
        boolean primary,
        NodeState state,
        boolean answers,
        long position,
        long lagBytes,
        Duration lag,
        Duration latency) {}
