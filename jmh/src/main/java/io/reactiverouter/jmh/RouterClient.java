package io.reactiverouter.jmh;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.micrometer.CallMetrics;
import io.reactiverouter.observation.CallInstrumentation;
import io.reactiverouter.observation.SqlLog;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.topology.Shard;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import reactor.core.publisher.Mono;

/** Reactive Router. */
final class RouterClient extends ReactorClient {

    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final Keyspace ACCOUNTS =
            Keyspace.named("accounts").key("account_id").strategy(ShardingStrategy.modulo());

    private final ShardCluster cluster;
    private final ShardRouter router;

    RouterClient(Accounts accounts) {
        this(accounts, ShardCluster.builder());
    }

    private RouterClient(Accounts accounts, ShardCluster.Builder builder) {
        builder.pool(PoolSettings.DEFAULTS.withMaxSize(Accounts.POOL).withMinSize(Accounts.POOL));
        accounts.nodes().forEach(node -> builder.shard(Shard.named(node.name()).primary(node.r2dbcUrl())));
        cluster = builder.build();
        cluster.warmup().block(LIMIT);
        router = cluster.router(ACCOUNTS);
    }

    /** Connects with meters, as the starter does it. */
    static RouterClient metered(Accounts accounts) {
        CallMetrics metrics = new CallMetrics(new SimpleMeterRegistry());
        return new RouterClient(
                accounts,
                ShardCluster.builder()
                        .instrumentation(CallInstrumentation.of(List.of(metrics, new SqlLog(null))))
                        .listener(metrics));
    }

    @Override
    Mono<Long> read(long account) {
        return router.shard(ShardKey.of(account))
                .queryOne(Query.of(Accounts.READ, account), row -> Objects.requireNonNull(row.get(0, Long.class)));
    }

    @Override
    Mono<Long> write(long account, long balance) {
        return router.shard(ShardKey.of(account)).update(Query.of(Accounts.WRITE, balance, account));
    }

    @Override
    Mono<Long> post(long account, long balance) {
        Query update = Query.of(Accounts.WRITE, balance, account);
        Query entry = Query.of(Accounts.ENTRY, account, balance);
        return router.shard(ShardKey.of(account))
                .inTransaction(connection -> update.update(connection)
                        .flatMap(updated -> entry.update(connection).map(added -> updated + added)));
    }

    @Override
    public void close() {
        cluster.close().block(LIMIT);
    }
}
