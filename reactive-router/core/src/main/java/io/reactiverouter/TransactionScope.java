package io.reactiverouter;

import io.r2dbc.spi.Connection;
import io.reactiverouter.topology.ShardId;
import reactor.core.publisher.Mono;

/**
 * The transaction that a call runs in, carried in the Reactor context.
 *
 * @param shard the shard that it never leaves
 * @param connection its connection
 */
record TransactionScope(ShardId shard, Mono<? extends Connection> connection) {

    /** Returns the connection for a call to {@code requested}, or the error that it is another shard. */
    Mono<? extends Connection> join(ShardId requested) {
        return requested.equals(shard)
                ? connection
                : Mono.error(new CrossShardTransactionException(shard, "shard " + requested));
    }
}
