package io.reactiverouter;

import io.r2dbc.spi.Row;
import io.reactiverouter.scatter.FailurePolicy;
import io.reactiverouter.scatter.Gathered;
import io.reactiverouter.scatter.ScatterManifest;
import java.time.Duration;
import java.util.function.Function;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Scatter-gather: one statement on several shards, the answers merged as they come, in no order. Nothing happens before
 * subscription. Each shard is asked through at most one connection; rows are read only as the subscriber asks for them; a
 * cancel stops the statement on every shard. Immutable: each setting returns new operations.
 *
 * <p>Fails inside a transaction with {@link CrossShardTransactionException}.
 */
public interface ScatterOperations {

    /** Shards asked at the same time unless {@link #concurrency(int)} says otherwise. */
    int DEFAULT_CONCURRENCY = 16;

    /**
     * Limits how long one shard may keep the caller waiting, as {@link ShardOperations#timeout} does, counted from the
     * moment in which it is asked. The cluster's call timeout unless set; DDL may need more.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    ScatterOperations shardTimeout(Duration timeout);

    /** Says what a failing shard does to the others; {@link FailurePolicy#FAIL_FAST} unless set. */
    ScatterOperations onFailure(FailurePolicy policy);

    /**
     * Limits how many shards are asked at the same time; {@value #DEFAULT_CONCURRENCY} unless set.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    ScatterOperations concurrency(int shards);

    /**
     * Runs a query on each shard and merges the rows. With {@link FailurePolicy#BEST_EFFORT} rows of failing shards are
     * missing: use {@link #gather} to know which.
     */
    <T> Flux<T> query(Query query, Function<? super Row, ? extends T> mapper);

    /**
     * Runs a query on each shard and merges the rows, each with its shard; the last element before completion is a
     * {@link Gathered.Manifest} that says how each shard ended.
     */
    <T> Flux<Gathered<T>> gather(Query query, Function<? super Row, ? extends T> mapper);

    /**
     * Runs a statement, as DDL, on each shard and says how each ended. There is no transaction around the shards: with
     * {@link FailurePolicy#FAIL_FAST} the first failure is the error, the manifest in it
     * ({@link io.reactiverouter.scatter.ScatterFailure}) tells which shards had completed.
     */
    Mono<ScatterManifest> execute(String sql);
}
