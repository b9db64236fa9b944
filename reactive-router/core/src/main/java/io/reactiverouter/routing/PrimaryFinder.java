package io.reactiverouter.routing;

import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.ShardId;
import reactor.core.publisher.Mono;

/** Knows the nodes, and finds out about them. */
public interface PrimaryFinder {

    /** Returns the primary of a shard as soon as one answers, however long that takes. */
    Mono<NodeId> primary(ShardId shard);

    /** Looks at a node that a call has found something wrong with, and at the others of its shard. */
    void suspect(NodeId node);

    /** Ejects a node, or not any more, because of what calls have met with there. */
    void tripped(NodeId node, boolean open);

    /** Says whether a node answers now, as a primary that has the writes of its shard. */
    Mono<Boolean> servesWrites(NodeId node);

    /** Completes when all nodes of a shard have been asked, or have not answered in time. */
    Mono<Void> verify(ShardId shard);

    /** Returns what is known of the nodes of a shard, for people. */
    String describe(ShardId shard);
}
