package io.reactiverouter;

import io.r2dbc.spi.Row;
import io.reactiverouter.aggregate.AggregateRow;
import io.reactiverouter.aggregate.Aggregation;
import io.reactiverouter.order.SortKey;
import io.reactiverouter.scatter.FailurePolicy;
import io.reactiverouter.scatter.Gathered;
import io.reactiverouter.scatter.ScatterManifest;
import io.reactiverouter.topology.ReadPreference;
import java.time.Duration;
import java.util.function.BiFunction;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import java.util.function.Supplier;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Scatter-gather: one statement on several shards, the answers merged, in no order unless one is set. Nothing happens before
 * subscription. Each shard is asked through at most one connection; rows are read only as the subscriber asks for them; a
 * cancel stops the statement on every shard. Immutable: each setting returns new operations.
 *
 * <p>At most the rows of one portion ({@link Query#fetchSize}) and 256 more, or one portion more if that is less, are held
 * of each shard, whatever the size of the answer; of a query that has no parameters the driver holds up to 256 more. Signals
 * come on the event loops of the shards' connections, one at a time.
 *
 * <p>A failing shard is an error with the manifest of all shards in it
 * ({@link io.reactiverouter.scatter.ScatterFailure}), also after rows have been delivered: the driver's own with the node as
 * {@link io.reactiverouter.connection.NodeFailure}, or a {@link io.reactiverouter.connection.CallTimeoutException}, which
 * names the shard. Rows that have come, but that the subscriber has not asked for by then, may be dropped. Settings that do
 * not go together, as an offset without an order, are an {@link IllegalArgumentException} of the call. Fails inside a
 * transaction with {@link CrossShardTransactionException}.
 */
public interface ScatterOperations {

    /** Shards asked at the same time unless {@link #concurrency(int)} says otherwise. */
    int DEFAULT_CONCURRENCY = 16;

    /** The most rows of a page. */
    int MAX_PAGE = 10_000;

    /**
     * Limits how long one shard may keep the caller waiting, as {@link ShardOperations#timeout} does, counted from the
     * moment in which it is asked. The cluster's call timeout unless set; DDL may need more.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    ScatterOperations shardTimeout(Duration timeout);

    /**
     * Limits the whole call: waits for connections, queries, merge, and the time that the subscriber takes. Shards that have
     * not delivered everything by then have timed out. No limit unless set; a
     * {@link io.reactiverouter.connection.Deadline} in the context counts if it is earlier.
     *
     * <p>This limit and the one of a shard end the statement with a cancel request. This one is told to the server too, as
     * its {@code statement_timeout}. That of a shard is not: the server counts for as long as a cursor is open, so also while
     * nobody asks for rows.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    ScatterOperations deadline(Duration limit);

    /**
     * Says from which nodes {@code query}, {@code gather}, {@code aggregate}, {@code reduce} and pages read, and that they only
     * read: a shard's part that fails with its node, before it has delivered a row, is run again on another one.
     */
    ScatterOperations reading(ReadPreference preference);

    /** Says how many shards may fail; {@link FailurePolicy#FAIL_FAST} unless set. */
    ScatterOperations onFailure(FailurePolicy policy);

    /**
     * Limits how many shards are at work at the same time; {@value #DEFAULT_CONCURRENCY} unless set. With an order that is
     * until a shard delivers its first row: the merge then needs all shards, and a connection to each, until the end. A
     * query of which fewer prove to be as fast, since its shards share a server or its reader is slow, uses fewer; one of
     * 128 calls tries that. Each node is also protected by its pool, whose size bounds the statements of all calls together.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    ScatterOperations concurrency(int shards);

    /**
     * Delivers rows in this order, as PostgreSQL sorts: each shard sorts, and the sorted streams are merged as the
     * subscriber asks for rows. The query runs as a subquery and needs no {@code order by} of its own; the keys are columns
     * of its result. Rows that are equal in all keys come in the order of the shards. Every row is checked: a shard whose
     * rows come in another order is an {@link io.reactiverouter.scatter.OrderViolationException}. Text needs the collation
     * {@code "C"}: {@link SortKey#collateC()}. The first call of a query costs two more round trips, which ask each
     * server for types and collations.
     *
     * @throws IllegalArgumentException if there is no key
     */
    ScatterOperations orderBy(SortKey... keys);

    /**
     * Merges by this order rows that the query itself sorts so. It runs as it is, so a {@link #limit} is not passed on to
     * the shards, though it stops them. The query must still be one that can be a subquery, for the
     * question how it sorts.
     *
     * @throws IllegalArgumentException if there is no key
     */
    ScatterOperations sortedBy(SortKey... keys);

    /** Of rows that are equal in all keys of the order delivers only the first, over all shards. */
    ScatterOperations distinct();

    /** Reads one shard after the other, in the order of the route. */
    ScatterOperations sequential();

    /**
     * Leaves out the first rows of an order. Each shard still has to find, and send, that many: for deep pages see
     * {@link #page}.
     *
     * @throws IllegalArgumentException if it is negative
     */
    ScatterOperations offset(long rows);

    /**
     * Delivers at most so many rows. Each shard is asked for no more, and is stopped as soon as the answer is complete.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    ScatterOperations limit(long rows);

    /**
     * Returns calls that read the order page by page. Each page gives a cursor for the next, which costs the same however
     * deep it is, if each shard has an index in this order. The last key must make the order unique. Rows that are inserted
     * or deleted elsewhere neither hide rows nor repeat them. The {@link #limit} does not count.
     *
     * <p>All shards must answer: a page without one would lose its rows for good.
     *
     * @param rows of a page, at most {@value #MAX_PAGE}
     * @throws IllegalArgumentException if it is not positive or larger
     */
    PageOperations page(int rows);

    /**
     * Runs a query on each shard and merges the rows. Where {@link #onFailure} lets shards fail their rows are missing: use
     * {@link #gather} to know which.
     */
    <T> Flux<T> query(Query query, Function<? super Row, ? extends T> mapper);

    /**
     * Runs a query on each shard and merges the rows, each with its shard; the last element before completion is a
     * {@link Gathered.Manifest} that says how each shard ended.
     */
    <T> Flux<Gathered<T>> gather(Query query, Function<? super Row, ? extends T> mapper);

    /**
     * Aggregates the rows of all shards, as PostgreSQL would if they were in one database: each shard aggregates its own,
     * and the partial results are merged. All shards must answer, whatever {@link #onFailure} says: a sum without one would
     * be a wrong sum. Keep the aggregation in a constant, since each new one costs some round trips that ask for types.
     *
     * @throws IllegalArgumentException if an order or a limit is set here; the aggregation has its own
     */
    Flux<AggregateRow> aggregate(Query query, Aggregation aggregation);

    /**
     * Folds the rows of each shard where they arrive, and then the results of the shards: {@code accumulator} may change and
     * return what {@code initial} gave, {@code combiner} merges two of them. Shards that {@link #onFailure} lets fail add
     * nothing, not even the rows that they had delivered.
     *
     * @throws IllegalArgumentException if an order or a limit is set
     */
    <T, A> Mono<A> reduce(
            Query query,
            Function<? super Row, ? extends T> mapper,
            Supplier<A> initial,
            BiFunction<A, T, A> accumulator,
            BinaryOperator<A> combiner);

    /**
     * Runs a statement, as DDL, on each shard and says how each ended. There is no transaction around the shards: with
     * {@link FailurePolicy#FAIL_FAST} the first failure is the error, the manifest in it
     * ({@link io.reactiverouter.scatter.ScatterFailure}) tells which shards had completed.
     */
    Mono<ScatterManifest> execute(String sql);
}
