package io.reactiverouter;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.connection.NodePools;
import io.reactiverouter.failover.FailureKind;
import io.reactiverouter.routing.ReadYourWrites;
import io.reactiverouter.topology.ShardId;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.context.ContextView;

/** Notes how far the log of a shard is once a call that may have written has ended, where somebody wants to know. */
final class WrittenPosition {

    private static final Query POSITION =
            Query.of("select (pg_current_wal_insert_lsn() - '0/0')::bigint").fetchSize(0);

    private final ReadYourWrites writes;
    private final ShardId shard;

    private WrittenPosition(ReadYourWrites writes, ShardId shard) {
        this.writes = writes;
        this.shard = shard;
    }

    /** Returns what notes the writes to a shard, null if nobody wants to know. */
    static @Nullable WrittenPosition of(ContextView context, ShardId shard) {
        ReadYourWrites writes = ReadYourWrites.of(context);
        return writes == null ? null : new WrittenPosition(writes, shard);
    }

    /** Notes that something may be written that is not seen from here. */
    static void unknown(ContextView context, ShardId shard) {
        ReadYourWrites writes = ReadYourWrites.of(context);
        if (writes != null) {
            writes.wroteSomewhere(shard);
        }
    }

    /** Returns work that asks for the position when it has completed, on its own connection. */
    <T> Function<Connection, Publisher<T>> after(Function<? super Connection, ? extends Publisher<T>> work) {
        return connection -> Flux.concat(List.of(
                Flux.<T>defer(() -> work.apply(connection)),
                // What the work has left unread must not stand in the way of the question.
                Mono.defer(() -> never(NodePools.withdraw(connection, this::note)))
                        .then(Mono.empty())));
    }

    /** What was written is written: whoever does not learn where reads from the primary. */
    private Mono<Void> never(Mono<Void> noting) {
        return noting.doOnError(error -> writes.wroteSomewhere(shard)).onErrorComplete();
    }

    /** Asks for the position. Does not fail, and goes on to its end whoever leaves: the driver keeps a row that nobody reads. */
    Mono<Void> note(Connection connection) {
        return never(POSITION.fetch(connection, row -> Objects.requireNonNull(row.get(0, Long.class)))
                        .doOnNext(position -> writes.wrote(shard, position))
                        .then())
                .cache();
    }

    /** Returns a call whose error or cancel leaves open what was written: of several statements some may have been done. */
    <T> Flux<T> noted(Flux<T> call) {
        return call.doOnError(error -> writes.wroteSomewhere(shard)).doOnCancel(() -> writes.wroteSomewhere(shard));
    }

    /** Returns a transaction, of which nothing was written if the server says that it has failed. */
    <T> Flux<T> notedTransaction(Flux<T> call) {
        return call.doOnError(error -> {
                    if (!isAnswer(error)) {
                        writes.wroteSomewhere(shard);
                    }
                })
                .doOnCancel(() -> writes.wroteSomewhere(shard));
    }

    /** Says whether the server itself has said that nothing took effect. */
    private static boolean isAnswer(Throwable error) {
        return error instanceof R2dbcException answer
                && answer.getSqlState() != null
                && FailureKind.of(error) != FailureKind.BROKEN;
    }
}
