package io.reactiverouter.scatter;

import io.r2dbc.spi.Connection;
import io.reactiverouter.connection.AnswerTimeout;
import io.reactiverouter.connection.ShardExecutor;
import io.reactiverouter.connection.ShardExecutor.Residue;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.ShardId;
import java.util.List;
import java.util.function.Function;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Runs the same work on several shards and merges what they give, as it comes. Holds at most {@value #PREFETCH} rows of
 * each shard beside what the driver has read of its cursor.
 */
public final class ScatterGather {

    private static final int PREFETCH = 64;

    private final ShardExecutor executor;
    private final Function<ShardId, NodeId> nodes;

    /** Runs on {@code executor}; {@code nodes} says which node answers for a shard at the moment. */
    public ScatterGather(ShardExecutor executor, Function<ShardId, NodeId> nodes) {
        this.executor = executor;
        this.nodes = nodes;
    }

    /** Returns the rows of all shards. */
    public <T> Flux<T> rows(
            List<ShardId> shards, ScatterSettings settings, Function<? super Connection, ? extends Publisher<T>> work) {
        return Flux.defer(() -> {
            Tally tally = new Tally(shards);
            return this.<T, T>merge(shards, settings, tally, work, part -> rows -> rows)
                    .concatWith(Mono.defer(() -> failureOfAll(tally)));
        });
    }

    /** Returns the rows of all shards, each with its shard, and the manifest as the last element. */
    public <T> Flux<Gathered<T>> gather(
            List<ShardId> shards, ScatterSettings settings, Function<? super Connection, ? extends Publisher<T>> work) {
        return Flux.defer(() -> {
            Tally tally = new Tally(shards);
            return this.<T, Gathered<T>>merge(
                            shards,
                            settings,
                            tally,
                            work,
                            shard -> rows -> rows.map(row -> new Gathered.Row<>(shard, row)))
                    .concatWith(Mono.defer(() -> failureOfAll(tally)))
                    .concatWith(Mono.fromSupplier(() -> new Gathered.Manifest<>(tally.manifest())));
        });
    }

    /** Runs work that gives the number of rows it wrote on each shard, and returns how each ended. */
    public Mono<ScatterManifest> run(
            List<ShardId> shards,
            ScatterSettings settings,
            Function<? super Connection, ? extends Publisher<Long>> work) {
        return Mono.defer(() -> {
            Tally tally = new Tally(shards);
            return this.<Long, Long>merge(
                            shards,
                            settings,
                            tally,
                            work,
                            shard -> counts ->
                                    counts.doOnNext(count -> tally.part(shard).add(count - 1)))
                    .then(Mono.fromSupplier(tally::manifest));
        });
    }

    private <T, R> Flux<R> merge(
            List<ShardId> shards,
            ScatterSettings settings,
            Tally tally,
            Function<? super Connection, ? extends Publisher<T>> work,
            Function<ShardId, Function<Flux<T>, Flux<R>>> shape) {
        return Flux.fromIterable(shards)
                .flatMap(
                        shard -> ask(shard, settings, tally, work).transform(shape.apply(shard)),
                        settings.concurrency(),
                        PREFETCH);
    }

    private <T> Flux<T> ask(
            ShardId shard,
            ScatterSettings settings,
            Tally tally,
            Function<? super Connection, ? extends Publisher<T>> work) {
        Tally.Part part = tally.part(shard);
        return Flux.defer(() -> {
                    part.ask();
                    return AnswerTimeout.limit(
                            executor.execute(nodes.apply(shard), Residue.NONE, work), shard, settings.shardTimeout());
                })
                .doOnNext(row -> part.add(1))
                .doOnComplete(part::complete)
                .onErrorResume(error -> {
                    part.fail(error);
                    // One error ends the stream. Others of the same moment are in the manifest; to emit them too would
                    // make Reactor wrap them all into one without type and SQLSTATE, or log them as dropped.
                    return settings.policy() == FailurePolicy.FAIL_FAST && tally.end()
                            ? Mono.error(annotate(error, tally))
                            : Mono.empty();
                });
    }

    /** An answer to which no shard contributed is not partial but none. */
    private static <T> Mono<T> failureOfAll(Tally tally) {
        Throwable error = tally.errorOfAll();
        return error == null ? Mono.empty() : Mono.error(annotate(error, tally));
    }

    private static Throwable annotate(Throwable error, Tally tally) {
        if (ScatterFailure.of(error).isEmpty()) {
            error.addSuppressed(new ScatterFailure(tally.manifest()));
        }
        return error;
    }
}
