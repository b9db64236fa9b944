package io.reactiverouter;

import io.reactiverouter.audit.TableAudit;
import io.reactiverouter.routing.Placement;
import io.reactiverouter.routing.Route;
import io.reactiverouter.strategy.Distribution;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.topology.ReadPreference;
import java.util.Collection;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Routes calls of one keyspace. Immutable and thread-safe.
 *
 * <p>A call goes to the shard of its key or, where the caller says so, to several or all shards. A key that has no shard
 * is an error: it never goes to a default shard and never to all.
 */
public interface ShardRouter {

    /** The most keys of a lookup. */
    int MAX_LOOKUP = 100_000;

    /** Returns where the rows of the keyspace live now. */
    Placement placement();

    /**
     * Replaces the placement by another strategy with the next epoch, as for a new pin of a
     * {@link io.reactiverouter.strategy.Directory}. Calls that are subscribed to afterwards follow it. Moves no rows, and
     * other instances of the application do not hear of it: for keys that have no rows yet, or rows that have been moved.
     *
     * @param expected the placement that {@code next} was derived from
     * @throws io.reactiverouter.routing.StalePlacementException if the keyspace has another placement by now
     * @throws IllegalArgumentException if {@code next} places keys on a shard that the cluster does not have
     */
    Placement replacePlacement(Placement expected, ShardingStrategy next);

    /**
     * Counts, table by table and shard by shard, the rows and those that the current placement expects on another shard,
     * of which there must be none. The servers read every row, and once more those of a table with misplaced ones, in one
     * snapshot for each table and shard; where the strategy has no SQL form the keys are streamed here. Locks nothing against
     * writes. Results come as they are ready; four shards are worked on at a time, with one connection each. Rows that
     * row-level security hides are not counted, and {@code statement_timeout}, where it is set, holds.
     *
     * <p>Fails with {@link IllegalArgumentException} if the keyspace names no tables, or a table lacks the key column or has
     * one of a type that cannot hold keys.
     */
    Flux<TableAudit> audit();

    /** Does the same and lists at most {@code examples} misplaced rows of each table and shard instead of 100. */
    Flux<TableAudit> audit(int examples);

    /**
     * Returns about how many rows and keys each shard holds, from the statistics of its planner: reads no table, and is cheap. A
     * shard that has not answered within 5 s is missing. Fails inside a transaction.
     */
    Mono<KeyspaceStatistics> statistics();

    /** Returns how the current strategy spreads a sample of keys; a key that comes several times counts as often. */
    Distribution distribution(Iterable<? extends @Nullable ShardKey> sample);

    /**
     * Returns the route of a key now, without any I/O.
     *
     * @throws io.reactiverouter.strategy.UnroutableKeyException if the strategy cannot place the key
     */
    Route.Single route(ShardKey key);

    /**
     * Returns this router with another preference for the queries of its calls, which must only read then. That of the
     * {@linkplain Keyspace#reading keyspace} unless set.
     */
    ShardRouter reading(ReadPreference preference);

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

    /**
     * Returns calls that look up rows by these keys: each shard that holds some gets its own as an array, in one more
     * parameter after those of the query, as {@code $1} in
     * {@code select * from orders where user_id = any($1)}. The limit is {@value #MAX_LOOKUP} keys.
     *
     * @throws IllegalArgumentException if there is no key, there are too many, one is null, or they are of different types
     */
    ScatterOperations lookup(Collection<? extends ShardKey> keys);

    /**
     * Does the same in the order of the keys, without holding more than a portion of rows of each shard: a key that comes
     * twice gives its rows twice. The query runs as a subquery; its result must have the key column, and gets
     * {@code reactive_router_position} as its last column.
     *
     * @throws IllegalArgumentException if there is no key, there are too many, one is null, or they are of different types
     */
    ScatterOperations lookupInOrder(Collection<? extends ShardKey> keys);

    /**
     * Returns calls to those shards that can hold keys from {@code from} to {@code to}, both included; the statement itself
     * must say {@code between}. Only strategies that keep keys in order ask fewer than all shards.
     *
     * @throws io.reactiverouter.strategy.UnroutableKeyException if a key is null; one that the strategy cannot place, or a
     *     range that is upside down, is an error of the call
     */
    ScatterOperations between(ShardKey from, ShardKey to);

    /** Returns calls to all shards of the keyspace. */
    ScatterOperations allShards();
}
