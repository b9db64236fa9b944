package io.reactiverouter.spring;

import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.topology.ShardId;
import java.util.Collection;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.reactive.TransactionalOperator;

/**
 * Spring's {@link DatabaseClient} and transactions for the shard of a key. The shard is found when {@code forKey} or
 * {@code transactional} is called: what they return is bound to that shard, so ask anew for each piece of work instead of
 * keeping it. Thread-safe; makes one client for each shard and does no I/O by itself.
 *
 * <pre>{@code
 * Mono<Long> moved = database.forKey(key).sql("update positions ...").fetch().rowsUpdated()
 *     .flatMap(rows -> database.forKey(key).sql("insert into trades ...").fetch().rowsUpdated())
 *     .as(database.transactional(key)::transactional);
 * }</pre>
 *
 * <p>A transaction is on one shard, chosen before it begins. Inside it
 *
 * <ul>
 *   <li>clients of the same shard, and calls of the cluster's routers for keys of that shard, join it;
 *   <li>everything for another shard fails with {@link io.reactiverouter.CrossShardTransactionException}, which names both.
 *       Spring wraps what a {@code DatabaseClient} meets when it asks for a connection: there it is the cause of a
 *       {@link org.springframework.dao.DataAccessResourceFailureException}.
 * </ul>
 *
 * <p>It commits when the work completes, and rolls back on error and cancel; a statement that still runs then is stopped
 * on the server. The cluster's time limit of calls does not count for clients: use Reactor's {@code timeout}, or the
 * server's statement timeout. Clients also join a transaction of {@link io.reactiverouter.ShardOperations#inTransaction} on their
 * shard; {@code transactional} inside one is an error, because Spring could not tell who commits.
 */
public interface ShardedDatabaseClient {

    /** Returns clients for the keyspaces of these routers, all of which belong to {@code cluster}. */
    static ShardedDatabaseClient create(ShardCluster cluster, Collection<? extends ShardRouter> routers) {
        return new DefaultShardedDatabaseClient(cluster, routers);
    }

    /**
     * Returns the client for the shard of a key in the only keyspace.
     *
     * @throws io.reactiverouter.strategy.UnroutableKeyException if the key is null or the strategy cannot place it
     * @throws IllegalStateException if there is not exactly one keyspace
     */
    DatabaseClient forKey(ShardKey key);

    /**
     * Returns the client for the shard of a key in a keyspace.
     *
     * @throws io.reactiverouter.strategy.UnroutableKeyException if the key is null or the strategy cannot place it
     * @throws IllegalArgumentException if there is no such keyspace
     */
    DatabaseClient forKey(String keyspace, ShardKey key);

    /**
     * Returns the client for a shard by its name, for administration.
     *
     * @throws IllegalArgumentException if the cluster has no such shard
     */
    DatabaseClient forShard(ShardId shard);

    /** Returns transactions with Spring's defaults on the shard of a key in the only keyspace; fails as {@link #forKey(ShardKey)}. */
    default TransactionalOperator transactional(ShardKey key) {
        return transactional(key, TransactionDefinition.withDefaults());
    }

    /** Returns transactions on the shard of a key in the only keyspace; fails as {@link #forKey(ShardKey)}. */
    TransactionalOperator transactional(ShardKey key, TransactionDefinition definition);

    /** Returns transactions with Spring's defaults on the shard of a key; fails as {@link #forKey(String, ShardKey)}. */
    default TransactionalOperator transactional(String keyspace, ShardKey key) {
        return transactional(keyspace, key, TransactionDefinition.withDefaults());
    }

    /** Returns transactions on the shard of a key in a keyspace; fails as {@link #forKey(String, ShardKey)}. */
    TransactionalOperator transactional(String keyspace, ShardKey key, TransactionDefinition definition);
}
