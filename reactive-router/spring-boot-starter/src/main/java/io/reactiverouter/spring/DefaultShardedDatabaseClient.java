package io.reactiverouter.spring;

import io.r2dbc.spi.ConnectionFactory;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.topology.ShardId;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.reactive.TransactionalOperator;

/** Keeps one client and one transaction manager for each shard that was asked for. */
final class DefaultShardedDatabaseClient implements ShardedDatabaseClient {

    private final ShardCluster cluster;
    private final Map<String, ShardRouter> routers = new LinkedHashMap<>();
    private final Map<ShardId, Access> shards = new ConcurrentHashMap<>();

    /** Client and transactions share one connection factory: Spring finds a transaction's connection by that object. */
    private record Access(DatabaseClient client, ShardTransactionManager transactions) {}

    DefaultShardedDatabaseClient(ShardCluster cluster, Collection<? extends ShardRouter> routers) {
        this.cluster = cluster;
        for (ShardRouter router : routers) {
            String keyspace = router.placement().keyspace().name();
            if (this.routers.put(keyspace, router) != null) {
                throw new IllegalArgumentException("keyspace " + keyspace + " has two routers; each needs exactly one");
            }
        }
    }

    @Override
    public DatabaseClient forKey(ShardKey key) {
        return forShard(only().route(key).shard());
    }

    @Override
    public DatabaseClient forKey(String keyspace, ShardKey key) {
        return forShard(router(keyspace).route(key).shard());
    }

    @Override
    public DatabaseClient forShard(ShardId shard) {
        return access(shard).client();
    }

    @Override
    public TransactionalOperator transactional(ShardKey key, TransactionDefinition definition) {
        return transactional(only().route(key).shard(), definition);
    }

    @Override
    public TransactionalOperator transactional(String keyspace, ShardKey key, TransactionDefinition definition) {
        return transactional(router(keyspace).route(key).shard(), definition);
    }

    private TransactionalOperator transactional(ShardId shard, TransactionDefinition definition) {
        return new ShardTransactionalOperator(access(shard).transactions(), definition);
    }

    private ShardRouter only() {
        if (routers.size() != 1) {
            throw new IllegalStateException("a key without a keyspace needs exactly one keyspace, there are "
                    + routers.keySet() + "; name the keyspace before the key");
        }
        return routers.values().iterator().next();
    }

    private ShardRouter router(String keyspace) {
        ShardRouter router = routers.get(keyspace);
        if (router == null) {
            throw new IllegalArgumentException("keyspace " + keyspace + " is not known; known are " + routers.keySet());
        }
        return router;
    }

    private Access access(ShardId shard) {
        return shards.computeIfAbsent(shard, this::open);
    }

    private Access open(ShardId shard) {
        ConnectionFactory factory = cluster.shard(shard).connectionFactory();
        ShardTransactionScope scope = new ShardTransactionScope(cluster, shard, factory);
        return new Access(DatabaseClient.create(factory), new ShardTransactionManager(scope, factory));
    }
}
