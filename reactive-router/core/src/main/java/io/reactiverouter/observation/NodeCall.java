package io.reactiverouter.observation;

import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.NodeRole;

/**
 * One attempt of a call on one node.
 *
 * @param node the node
 * @param role what it is for the router at that moment: {@link NodeRole#PRIMARY} for the node that takes the writes of its
 *     shard, {@link NodeRole#REPLICA} for any other
 */
public record NodeCall(NodeId node, NodeRole role) {}
