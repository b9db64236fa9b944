package io.reactiverouter;

import io.reactiverouter.routing.Placement;
import io.reactiverouter.routing.Route;
import io.reactiverouter.strategy.ShardKey;
import java.util.Collection;

/**
 * Routes calls of one keyspace. Immutable and thread-safe.
 *
 * <p>A call goes to the shard of its key or, where the caller says so, to several or all shards. A key that has no shard
 * is an error: it never goes to a default shard and never to all.
 */
public interface ShardRouter {

    /** Returns where the rows of the keyspace live now. */
    Placement placement();

    /**
     * Returns the route of a key now, without any I/O.
     *
     * @throws io.reactiverouter.strategy.UnroutableKeyException if the strategy cannot place the key
     */
    Route.Single route(ShardKey key);

    /**
     * Returns calls to the shard of a key. A key that the strategy cannot place is an error of the call.
     *
     * @throws io.reactiverouter.strategy.UnroutableKeyException if the key is null
     */
    ShardOperations shard(ShardKey key);

    /**
     * Returns calls to those shards that hold these keys, each asked once.
     *
     * @throws IllegalArgumentException if there is no key, or one is null
     */
    ScatterOperations shards(Collection<? extends ShardKey> keys);

    /** Returns calls to all shards of the keyspace. */
    ScatterOperations allShards();
}
