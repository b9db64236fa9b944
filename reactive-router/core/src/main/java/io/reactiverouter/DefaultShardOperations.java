package io.reactiverouter;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Row;
import io.r2dbc.spi.Statement;
import io.reactiverouter.connection.AnswerTimeout;
import io.reactiverouter.connection.CallTimeoutException;
import io.reactiverouter.connection.CallTimeoutException.Consequence;
import io.reactiverouter.connection.NodePools;
import io.reactiverouter.connection.ShardExecutor.Residue;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Calls to one shard, found by {@code locator} with each subscription.
 *
 * <p>A caller's {@code onErrorContinue} reaches up into the operators here, where it would take a failed statement for one
 * that has changed no rows, and commit: {@code onErrorStop} keeps it away.
 */
final class DefaultShardOperations implements ShardOperations {

    private final DefaultShardCluster cluster;
    private final Supplier<ShardId> locator;
    private final @Nullable Duration timeout;

    DefaultShardOperations(DefaultShardCluster cluster, Supplier<ShardId> locator, @Nullable Duration timeout) {
        this.cluster = cluster;
        this.locator = locator;
        this.timeout = timeout;
    }

    @Override
    public Mono<ShardId> locate() {
        return Mono.fromSupplier(locator);
    }

    @Override
    public ShardOperations timeout(Duration limit) {
        return new DefaultShardOperations(cluster, locator, AnswerTimeout.require(limit));
    }

    @Override
    public <T> Flux<T> query(Query query, Function<? super Row, ? extends T> mapper) {
        return call(Residue.NONE, connection -> query.fetch(connection, mapper));
    }

    @Override
    public <T> Mono<T> queryOne(Query query, Function<? super Row, ? extends T> mapper) {
        return this.<T>query(query.fetchSize(0), mapper).singleOrEmpty();
    }

    @Override
    public Mono<Long> update(Query query) {
        return call(Residue.NONE, query::update).singleOrEmpty();
    }

    @Override
    public Mono<Long> batch(String sql, Collection<? extends @Nullable Object[]> rows) {
        if (rows.isEmpty()) {
            throw new IllegalArgumentException("a batch needs at least one row of parameters, has none");
        }
        List<@Nullable Object[]> copy = List.copyOf(rows);
        if (copy.stream().anyMatch(row -> row.length == 0)) {
            throw new IllegalArgumentException(
                    "a batch needs parameters in every row, one row has none; update() runs a statement without");
        }
        return inTransaction(connection -> Flux.defer(() -> Flux.from(batch(connection, sql, copy)))
                .concatMap(Result::getRowsUpdated, 1)
                .reduce(0L, Long::sum));
    }

    private static Publisher<? extends Result> batch(Connection connection, String sql, List<@Nullable Object[]> rows) {
        Statement statement = connection.createStatement(sql);
        for (int i = 0; i < rows.size(); i++) {
            if (i > 0) {
                statement.add();
            }
            Query.bind(statement, rows.get(i));
        }
        return statement.execute();
    }

    @Override
    public <T> Mono<T> withConnection(Function<? super Connection, ? extends Publisher<T>> work) {
        return withConnectionMany(work).singleOrEmpty();
    }

    @Override
    public <T> Flux<T> withConnectionMany(Function<? super Connection, ? extends Publisher<T>> work) {
        return call(Residue.POSSIBLE, work);
    }

    @Override
    public <T> Mono<T> inTransaction(
            TransactionOptions options, Function<? super Connection, ? extends Publisher<T>> work) {
        return inTransactionMany(options, work).singleOrEmpty();
    }

    @Override
    public <T> Flux<T> inTransactionMany(
            TransactionOptions options, Function<? super Connection, ? extends Publisher<T>> work) {
        return Flux.deferContextual(context -> {
                    if (cluster.scope(context) != null) {
                        return withConnectionMany(work);
                    }
                    ShardId shard = locator.get();
                    CommitGate gate = new CommitGate();
                    Flux<T> answer = cluster.execute(
                            shard, Residue.NONE, connection -> transaction(shard, connection, options, work, gate));
                    return AnswerTimeout.limit(answer.doOnCancel(gate::close), shard, timeout, gate::close);
                })
                .onErrorStop();
    }

    /** Rolls back nowhere: after an error or a cancel the executor settles the connection, and that rolls back. */
    private <T> Flux<T> transaction(
            ShardId shard,
            Connection connection,
            TransactionOptions options,
            Function<? super Connection, ? extends Publisher<T>> work,
            CommitGate gate) {
        TransactionScope scope = TransactionScope.own(shard, connection, gate);
        return Flux.concat(List.of(
                Mono.from(connection.beginTransaction(options.definition())).then(Mono.empty()),
                Flux.defer(() -> work.apply(connection)).contextWrite(cluster.entering(scope)),
                Mono.defer(() -> commit(shard, connection, scope, gate)).then(Mono.empty())));
    }

    private static Mono<Void> commit(ShardId shard, Connection connection, TransactionScope scope, CommitGate gate) {
        CallTimeoutException timedOut = scope.timedOut();
        if (timedOut != null) {
            return Mono.error(timedOut);
        }
        // The answer to the commit is then the last one: a connection that comes back to the pool has nothing on its
        // way.
        return NodePools.withdraw(connection, last -> {
            if (last.isAutoCommit()) {
                // The driver would skip the commit in silence.
                return Mono.error(new IllegalStateException("the transaction on shard " + shard
                        + " was no longer open when it was to be committed; work in a transaction must neither commit"
                        + " nor roll back itself"));
            }
            if (!gate.pass()) {
                CallTimeoutException late = scope.timedOut();
                return Mono.error(
                        late != null
                                ? late
                                : new IllegalStateException("time was up before the transaction could be committed"));
            }
            return Mono.from(last.commitTransaction());
        });
    }

    @Override
    public Mono<Connection> connection() {
        return Mono.deferContextual(context -> {
                    ShardId shard = locator.get();
                    TransactionScope scope = cluster.scope(context);
                    return scope == null ? cluster.borrow(shard) : scope.join(shard);
                })
                .onErrorStop();
    }

    @Override
    public ConnectionFactory connectionFactory() {
        return new ShardConnectionFactory(this);
    }

    private <T> Flux<T> call(Residue residue, Function<? super Connection, ? extends Publisher<T>> work) {
        return Flux.deferContextual(context -> {
                    ShardId shard = locator.get();
                    TransactionScope scope = cluster.scope(context);
                    return scope == null
                            ? limited(shard, residue, work)
                            : scope.limit(scope.join(shard).flatMapMany(work), timeout);
                })
                .onErrorStop();
    }

    private <T> Flux<T> limited(
            ShardId shard, Residue residue, Function<? super Connection, ? extends Publisher<T>> work) {
        if (timeout == null) {
            return cluster.execute(shard, residue, work);
        }
        Noted<T> noted = new Noted<>(work);
        return AnswerTimeout.limit(cluster.execute(shard, residue, noted), shard, timeout, noted::consequence);
    }

    /** Work that is called, or given up, whichever comes first: what is said to have not run must not run a moment later. */
    private static final class Noted<T> implements Function<Connection, Publisher<T>> {

        private static final int CALLED = 1;
        private static final int GIVEN_UP = 2;

        private final Function<? super Connection, ? extends Publisher<T>> work;
        private final AtomicInteger state = new AtomicInteger();

        Noted(Function<? super Connection, ? extends Publisher<T>> work) {
            this.work = work;
        }

        @Override
        public Publisher<T> apply(Connection connection) {
            return state.compareAndSet(0, CALLED)
                    ? work.apply(connection)
                    : Flux.error(new IllegalStateException("time was up before the call could run"));
        }

        Consequence consequence() {
            state.compareAndSet(0, GIVEN_UP);
            return state.get() == GIVEN_UP ? Consequence.NOT_RUN : Consequence.CANCELLED;
        }
    }
}
