package io.reactiverouter;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.Row;
import io.reactiverouter.topology.ReadPreference;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.Collection;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Single-shard calls. Nothing happens before subscription; each subscription finds the shard anew and runs on its own
 * connection of the shard's primary. Immutable and thread-safe.
 *
 * <p>A connection goes back to its pool exactly once: on completion, error and cancel. After a cancel or a time limit the
 * server is asked to stop the statement, and the connection stays out of the pool until the server has answered. Work that
 * keeps its connection for longer than it runs gets an {@link IllegalStateException} from it, and nothing is sent. Work
 * begins, and signals come, on the event loop of the connection.
 *
 * <p>Inside {@link #inTransaction} calls to the same shard of the same cluster join the transaction and its connection.
 * Calls to another shard, and scatter-gather, fail there with {@link CrossShardTransactionException}.
 *
 * <p>Errors of the database keep the driver's type and SQLSTATE and carry the node as
 * {@link io.reactiverouter.connection.NodeFailure}; one of a time limit names the shard. Connection errors are those of
 * {@code io.reactiverouter.connection}: pool exhausted, acquire timeout, node unreachable, cluster closed.
 */
public interface ShardOperations {

    /** Returns the shard that a call would use now. */
    Mono<ShardId> locate();

    /**
     * Limits how long the database may keep the caller waiting: from subscription to the first signal, the wait for a
     * connection included, and from each signal to the next. Time in which the subscriber has asked for nothing does not
     * count. Ends with {@link io.reactiverouter.connection.CallTimeoutException}. The cluster's call timeout unless set.
     * Connections of {@link #connection()} and {@link #connectionFactory()} are outside of it. A
     * {@link io.reactiverouter.connection.Deadline} in the context is absolute, and ends a call if it comes earlier.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    ShardOperations timeout(Duration timeout);

    /**
     * Says that the statements of {@code query}, {@code queryOne}, {@code update} and {@code batch} may take effect twice: they
     * are run again, within the limits of the cluster's {@link io.reactiverouter.failover.RetrySettings}, also when the
     * connection broke and nobody knows whether they did, and after a conflict. Never once a row has been delivered.
     */
    ShardOperations idempotent();

    /**
     * Says from which nodes {@code query} and {@code queryOne} read, and that they only read: one that fails with its node,
     * before it has delivered a row, is run again on another. Other calls go to the primary. That of the router unless set; a
     * query without any goes to the primary and may write.
     */
    ShardOperations reading(ReadPreference preference);

    /** Runs a query and maps each row. A row must not be used after its mapper has returned. */
    <T> Flux<T> query(Query query, Function<? super Row, ? extends T> mapper);

    /**
     * Runs a query of at most one row, in one round trip; empty if there is none. A second row is an
     * {@link IndexOutOfBoundsException}.
     */
    <T> Mono<T> queryOne(Query query, Function<? super Row, ? extends T> mapper);

    /** Runs a statement and counts the rows that it wrote. */
    Mono<Long> update(Query query);

    /**
     * Runs a statement once for each row of parameters, all or nothing in one transaction, and counts the rows written.
     *
     * @throws IllegalArgumentException if there is no row, or a row without parameters
     */
    Mono<Long> batch(String sql, Collection<? extends @Nullable Object[]> rows);

    /** Runs work that gives at most one result on a connection, which is valid only inside {@code work}. */
    <T> Mono<T> withConnection(Function<? super Connection, ? extends Publisher<T>> work);

    /** Runs work that gives many results on a connection, which is valid only inside {@code work}. */
    <T> Flux<T> withConnectionMany(Function<? super Connection, ? extends Publisher<T>> work);

    /** Runs work in a read-committed transaction. */
    default <T> Mono<T> inTransaction(Function<? super Connection, ? extends Publisher<T>> work) {
        return inTransaction(TransactionOptions.DEFAULTS, work);
    }

    /**
     * Runs work that gives at most one result in a transaction: commits when the work completes, before the result is
     * delivered; rolls back on error and cancel. A call inside a transaction of the same shard joins it, and its options
     * do not apply.
     */
    <T> Mono<T> inTransaction(TransactionOptions options, Function<? super Connection, ? extends Publisher<T>> work);

    /**
     * Runs work that gives many results in a transaction. Results are delivered as they come; only completion says that
     * the transaction has been committed.
     */
    <T> Flux<T> inTransactionMany(
            TransactionOptions options, Function<? super Connection, ? extends Publisher<T>> work);

    /**
     * Hands out a connection of the shard's pool, for tools that bring their own resource handling. Whoever gets it must
     * close it, which gives it back to the pool; prefer {@link #withConnection}. Put it into {@code usingWhen} as it is: an
     * operator in between that can drop what it is given, as {@code timeout} does, loses the connection with it. The wait
     * has a limit of its own, the acquire timeout of the pool, or a {@link io.reactiverouter.connection.Deadline} in the
     * context. What runs on the connection is then limited by the server alone, each statement to the time that was left.
     */
    Mono<Connection> connection();

    /**
     * Returns a factory whose {@link ConnectionFactory#create()} finds the shard and hands out a connection as
     * {@link #connection()} does.
     */
    ConnectionFactory connectionFactory();
}
