package io.reactiverouter.jmh;

import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.pool.ConnectionPoolConfiguration;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactories;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Statement;
import io.reactiverouter.test.ShardNode;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.LongFunction;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** An r2dbc-pool for each shard, and the shortest code that uses it well. */
final class R2dbcClient extends ReactorClient {

    private static final Duration LIMIT = Duration.ofMinutes(1);

    private final List<ConnectionPool> pools;
    private final LongFunction<Mono<? extends Connection>> connections;

    private R2dbcClient(List<ConnectionPool> pools, LongFunction<Mono<? extends Connection>> connections) {
        this.pools = pools;
        this.connections = connections;
    }

    /** Takes the pool of {@code account mod 2}. */
    static R2dbcClient byHand(Accounts accounts) {
        List<ConnectionPool> pools = pools(accounts);
        return new R2dbcClient(
                pools, account -> pools.get(Accounts.shard(account)).create());
    }

    /** Takes the pool that Spring's {@code AbstractRoutingConnectionFactory} finds. */
    static R2dbcClient springRouting(Accounts accounts) {
        List<ConnectionPool> pools = pools(accounts);
        SpringRouting routing = new SpringRouting(pools);
        return new R2dbcClient(pools, routing::connection);
    }

    private static List<ConnectionPool> pools(Accounts accounts) {
        List<ConnectionPool> pools =
                accounts.nodes().stream().map(R2dbcClient::pool).toList();
        pools.forEach(pool -> pool.warmup().block(LIMIT));
        return pools;
    }

    private static ConnectionPool pool(ShardNode node) {
        return new ConnectionPool(ConnectionPoolConfiguration.builder(ConnectionFactories.get(node.r2dbcUrl()))
                .initialSize(Accounts.POOL)
                .maxSize(Accounts.POOL)
                .build());
    }

    @Override
    Mono<Long> read(long account) {
        return Mono.usingWhen(
                connections.apply(account),
                connection -> Flux.from(connection
                                .createStatement(Accounts.READ)
                                .bind(0, account)
                                .execute())
                        .concatMap(
                                result -> result.map((row, metadata) -> Objects.requireNonNull(row.get(0, Long.class))))
                        .singleOrEmpty(),
                Connection::close);
    }

    @Override
    Mono<Long> write(long account, long balance) {
        return Mono.usingWhen(
                connections.apply(account), connection -> update(connection, account, balance), Connection::close);
    }

    @Override
    Mono<Long> post(long account, long balance) {
        return Mono.usingWhen(
                connections.apply(account),
                connection -> Mono.usingWhen(
                        Mono.from(connection.beginTransaction()).thenReturn(connection),
                        begun -> update(begun, account, balance)
                                .flatMap(updated ->
                                        insert(begun, account, balance).map(added -> updated + added)),
                        Connection::commitTransaction,
                        (begun, failure) -> begun.rollbackTransaction(),
                        Connection::rollbackTransaction),
                Connection::close);
    }

    private static Mono<Long> update(Connection connection, long account, long balance) {
        return rows(connection.createStatement(Accounts.WRITE).bind(0, balance).bind(1, account));
    }

    private static Mono<Long> insert(Connection connection, long account, long amount) {
        return rows(connection.createStatement(Accounts.ENTRY).bind(0, account).bind(1, amount));
    }

    private static Mono<Long> rows(Statement statement) {
        return Flux.from(statement.execute()).concatMap(Result::getRowsUpdated).singleOrEmpty();
    }

    @Override
    public void close() {
        pools.forEach(pool -> pool.disposeLater().block(LIMIT));
    }
}
