package io.reactiverouter;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Row;
import io.r2dbc.spi.Statement;
import io.reactiverouter.connection.AnswerTimeout;
import io.reactiverouter.connection.Deadline;
import io.reactiverouter.connection.LimitedWork;
import io.reactiverouter.connection.ShardExecutor.Residue;
import io.reactiverouter.failover.Replay;
import io.reactiverouter.observation.CallKind;
import io.reactiverouter.stream.ErrorsStop;
import io.reactiverouter.topology.ReadPreference;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
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
 * that has changed no rows, and commit: {@link ErrorsStop} keeps it away.
 */
final class DefaultShardOperations implements ShardOperations {

    private final DefaultShardCluster cluster;
    private final @Nullable String keyspace;
    private final Supplier<ShardId> locator;
    private final @Nullable Duration timeout;

    /** Of statements that are sent here. */
    private final Replay replay;

    /** Of queries that only read. */
    private final @Nullable ReadPreference reading;

    DefaultShardOperations(
            DefaultShardCluster cluster,
            @Nullable String keyspace,
            Supplier<ShardId> locator,
            @Nullable Duration timeout,
            @Nullable ReadPreference reading) {
        this(cluster, keyspace, locator, timeout, Replay.STATEMENT, reading);
    }

    private DefaultShardOperations(
            DefaultShardCluster cluster,
            @Nullable String keyspace,
            Supplier<ShardId> locator,
            @Nullable Duration timeout,
            Replay replay,
            @Nullable ReadPreference reading) {
        this.cluster = cluster;
        this.keyspace = keyspace;
        this.locator = locator;
        this.timeout = timeout;
        this.replay = replay;
        this.reading = reading;
    }

    @Override
    public Mono<ShardId> locate() {
        return Mono.fromSupplier(locator);
    }

    @Override
    public ShardOperations timeout(Duration limit) {
        return new DefaultShardOperations(cluster, keyspace, locator, AnswerTimeout.require(limit), replay, reading);
    }

    @Override
    public ShardOperations idempotent() {
        return new DefaultShardOperations(cluster, keyspace, locator, timeout, Replay.IDEMPOTENT, reading);
    }

    @Override
    public ShardOperations reading(ReadPreference preference) {
        return new DefaultShardOperations(
                cluster,
                keyspace,
                locator,
                timeout,
                replay,
                Objects.requireNonNull(preference, "read preference must not be null"));
    }

    @Override
    public <T> Flux<T> query(Query query, Function<? super Row, ? extends T> mapper) {
        return observed(
                "query",
                query.sql(),
                call(
                        Residue.NONE,
                        replay,
                        reading,
                        connection -> query.fetch(connection, mapper),
                        connection -> query.fetchAlone(connection, mapper)));
    }

    @Override
    public <T> Mono<T> queryOne(Query query, Function<? super Row, ? extends T> mapper) {
        return this.<T>query(query.fetchSize(0), mapper).singleOrEmpty();
    }

    @Override
    public Mono<Long> update(Query query) {
        return observed("update", query.sql(), call(Residue.NONE, replay, null, query::update, query::updateAlone))
                .singleOrEmpty();
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
        Flux<Long> answer = transaction(
                TransactionOptions.DEFAULTS,
                replay,
                true,
                connection -> Flux.defer(() -> Flux.from(batch(connection, sql, copy)))
                        .concatMap(Result::getRowsUpdated, 1)
                        .reduce(0L, Long::sum));
        return observed("batch", sql, answer).singleOrEmpty();
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
        return observed("connection", null, call(Residue.POSSIBLE, Replay.NEVER, null, work));
    }

    @Override
    public <T> Mono<T> inTransaction(
            TransactionOptions options, Function<? super Connection, ? extends Publisher<T>> work) {
        return observed("transaction", null, transaction(options, Replay.transaction(options.retries()), true, work))
                .singleOrEmpty();
    }

    @Override
    public <T> Flux<T> inTransactionMany(
            TransactionOptions options, Function<? super Connection, ? extends Publisher<T>> work) {
        return observed("transaction", null, transaction(options, Replay.transaction(options.retries()), false, work));
    }

    /**
     * @param single whether there is at most one result, to be delivered after the commit
     */
    private <T> Flux<T> transaction(
            TransactionOptions options,
            Replay again,
            boolean single,
            Function<? super Connection, ? extends Publisher<T>> work) {
        return ErrorsStop.in(Flux.deferContextual(context -> {
            if (cluster.scope(context) != null) {
                return call(Residue.POSSIBLE, Replay.NEVER, null, work);
            }
            ShardId shard = locator.get();
            CommitGate gate = new CommitGate(again.unknown());
            WrittenPosition written = options.readOnly() ? null : WrittenPosition.of(context, shard);
            LimitedWork<T> attempts = new LimitedWork<>(
                    connection -> {
                        Transaction<T> transaction = new Transaction<>(cluster, shard, connection, gate, written);
                        return single ? transaction.single(options, work) : transaction.many(options, work);
                    },
                    gate::close);
            Flux<T> answer = cluster.execute(shard, Residue.NONE, again, attempts);
            Flux<T> limited = AnswerTimeout.limit(
                    answer.doOnCancel(gate::close), shard, timeout, Deadline.of(context), attempts::consequence);
            return written == null ? limited : written.notedTransaction(limited);
        }));
    }

    @Override
    public Mono<Connection> connection() {
        return Mono.deferContextual(context -> {
                    ShardId shard = locator.get();
                    TransactionScope scope = cluster.scope(context);
                    if (scope == null || scope.isForeign()) {
                        WrittenPosition.unknown(context, shard);
                    }
                    return scope == null ? cluster.borrow(shard) : scope.join(shard);
                })
                .onErrorStop();
    }

    @Override
    public ConnectionFactory connectionFactory() {
        return new ShardConnectionFactory(this);
    }

    private <T> Flux<T> call(
            Residue residue,
            Replay again,
            @Nullable ReadPreference from,
            Function<? super Connection, ? extends Publisher<T>> work) {
        return call(residue, again, from, work, work);
    }

    /**
     * @param joining what is done on the connection of a transaction
     * @param work what is done on a connection of its own
     */
    private <T> Flux<T> call(
            Residue residue,
            Replay again,
            @Nullable ReadPreference from,
            Function<? super Connection, ? extends Publisher<T>> joining,
            Function<? super Connection, ? extends Publisher<T>> work) {
        return ErrorsStop.in(Flux.deferContextual(context -> {
            ShardId shard = locator.get();
            TransactionScope scope = cluster.scope(context);
            if (scope != null) {
                if (scope.isForeign()) {
                    WrittenPosition.unknown(context, shard);
                }
                return scope.limit(scope.join(shard).flatMapMany(joining), timeout, Deadline.of(context));
            }
            Deadline deadline = Deadline.of(context);
            if (from != null) {
                return limited(shard, deadline, work, read -> cluster.read(shard, from, read));
            }
            WrittenPosition written = WrittenPosition.of(context, shard);
            return written == null
                    ? limited(shard, deadline, work, call -> cluster.execute(shard, residue, again, call))
                    : written.noted(limited(
                            shard,
                            deadline,
                            written.after(work),
                            call -> cluster.execute(shard, residue, again, call)));
        }));
    }

    private <T> Flux<T> observed(String operation, @Nullable String sql, Flux<T> answer) {
        return cluster.observed(keyspace, CallKind.SINGLE, operation, sql, answer);
    }

    private <T> Flux<T> limited(
            ShardId shard,
            @Nullable Deadline deadline,
            Function<? super Connection, ? extends Publisher<T>> work,
            Function<Function<? super Connection, ? extends Publisher<T>>, Flux<T>> executor) {
        if (timeout == null && deadline == null) {
            return executor.apply(work);
        }
        LimitedWork<T> limited = new LimitedWork<>(work);
        return AnswerTimeout.limit(executor.apply(limited), shard, timeout, deadline, limited::consequence);
    }
}
