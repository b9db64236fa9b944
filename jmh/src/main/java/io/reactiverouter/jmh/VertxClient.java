package io.reactiverouter.jmh;

import io.reactiverouter.test.ShardNode;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.pgclient.PgBuilder;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.PoolOptions;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.SqlClient;
import io.vertx.sqlclient.Tuple;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** vertx-pg-client with {@code account mod 2}, on the native transport that Reactor Netty uses too. */
final class VertxClient implements AsyncClient {

    /** Connections to a shard that statements share by pipelining. */
    static final int PIPELINED_CONNECTIONS = 4;

    private static final int PIPELINING_LIMIT = 256;
    private static final int SECONDS = 60;

    private final Vertx vertx;
    private final List<? extends SqlClient> shards;

    private VertxClient(Vertx vertx, List<? extends SqlClient> shards) {
        this.vertx = vertx;
        this.shards = shards;
    }

    /** Each statement has a connection of the pool for itself. */
    static VertxClient pooled(Accounts accounts) {
        return open(
                accounts,
                vertx -> node -> PgBuilder.pool()
                        .with(pool(Accounts.POOL))
                        .connectingTo(address(node))
                        .using(vertx)
                        .build());
    }

    /** Statements of independent callers share connections. Has no transactions. */
    static VertxClient pipelined(Accounts accounts) {
        return open(
                accounts,
                vertx -> node -> PgBuilder.client()
                        .with(pool(PIPELINED_CONNECTIONS))
                        .connectingTo(address(node).setPipeliningLimit(PIPELINING_LIMIT))
                        .using(vertx)
                        .build());
    }

    private static VertxClient open(Accounts accounts, Function<Vertx, Function<ShardNode, SqlClient>> factory) {
        Vertx vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));
        return new VertxClient(
                vertx, accounts.nodes().stream().map(factory.apply(vertx)).toList());
    }

    /** Over all event loops: without a size, connections that one thread asks for share one. */
    private static PoolOptions pool(int size) {
        return new PoolOptions()
                .setMaxSize(size)
                .setEventLoopSize(Runtime.getRuntime().availableProcessors());
    }

    private static PgConnectOptions address(ShardNode node) {
        return new PgConnectOptions()
                .setHost(node.host())
                .setPort(node.port())
                .setDatabase(node.database())
                .setUser(node.username())
                .setPassword(node.password())
                .setCachePreparedStatements(true);
    }

    @Override
    public void read(long account, Completion completion) {
        end(execute(shard(account), Accounts.READ, Tuple.of(account)).map(VertxClient::balance), completion);
    }

    @Override
    public void write(long account, long balance, Completion completion) {
        end(update(shard(account), account, balance), completion);
    }

    @Override
    public void post(long account, long balance, Completion completion) {
        Pool pool = (Pool) shard(account);
        end(
                pool.withTransaction(connection -> update(connection, account, balance)
                                .compose(updated ->
                                        insert(connection, account, balance).map(added -> updated + added)))
                        .map(sum -> Objects.requireNonNull(sum)),
                completion);
    }

    private SqlClient shard(long account) {
        return shards.get(Accounts.shard(account));
    }

    private static Future<Long> update(SqlClient client, long account, long balance) {
        return execute(client, Accounts.WRITE, Tuple.of(balance, account)).map(VertxClient::rows);
    }

    private static Future<Long> insert(SqlClient client, long account, long amount) {
        return execute(client, Accounts.ENTRY, Tuple.of(account, amount)).map(VertxClient::rows);
    }

    private static Future<RowSet<Row>> execute(SqlClient client, String sql, Tuple parameters) {
        return client.preparedQuery(sql).execute(parameters);
    }

    private static Long balance(RowSet<Row> rows) {
        return rows.iterator().next().getLong(0);
    }

    private static Long rows(RowSet<Row> rows) {
        return (long) rows.rowCount();
    }

    private static void end(Future<Long> operation, Completion completion) {
        operation.onComplete(completion::succeeded, completion::failed);
    }

    @Override
    public void close() {
        try {
            vertx.close().toCompletionStage().toCompletableFuture().get(SECONDS, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new IllegalStateException("Vert.x did not close", e);
        }
    }
}
