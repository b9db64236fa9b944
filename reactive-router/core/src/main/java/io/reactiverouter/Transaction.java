package io.reactiverouter;

import io.r2dbc.spi.Connection;
import io.reactiverouter.connection.CallTimeoutException;
import io.reactiverouter.connection.NodePools;
import io.reactiverouter.failover.FailureKind;
import io.reactiverouter.topology.ShardId;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * One attempt at a transaction. Rolls back nowhere: after an error or a cancel the executor settles the connection, and that
 * rolls back.
 */
final class Transaction<T> {

    private final DefaultShardCluster cluster;
    private final ShardId shard;
    private final Connection connection;
    private final CommitGate gate;
    private final TransactionScope scope;
    private final @Nullable WrittenPosition written;

    Transaction(
            DefaultShardCluster cluster,
            ShardId shard,
            Connection connection,
            CommitGate gate,
            @Nullable WrittenPosition written) {
        this.cluster = cluster;
        this.shard = shard;
        this.connection = connection;
        this.gate = gate;
        this.written = written;
        this.scope = TransactionScope.own(shard, connection, gate);
    }

    /** Returns what the work gives as it comes. */
    Flux<T> many(TransactionOptions options, Function<? super Connection, ? extends Publisher<T>> work) {
        return Flux.concat(List.of(begin(options), apply(work), commit()));
    }

    /** Returns what the work gives, at most one result, after the commit. */
    Flux<T> single(TransactionOptions options, Function<? super Connection, ? extends Publisher<T>> work) {
        AtomicReference<@Nullable T> result = new AtomicReference<>();
        Mono<T> kept = apply(work).singleOrEmpty().doOnNext(result::set).then(Mono.empty());
        return Flux.concat(List.of(begin(options), kept, commit(), Mono.fromSupplier(result::get)));
    }

    private Mono<T> begin(TransactionOptions options) {
        return Mono.from(connection.beginTransaction(options.definition())).then(Mono.empty());
    }

    private Flux<T> apply(Function<? super Connection, ? extends Publisher<T>> work) {
        return Flux.<T>defer(() -> work.apply(connection)).contextWrite(cluster.entering(scope));
    }

    private Mono<T> commit() {
        return Mono.defer(this::withdrawAndCommit).then(Mono.empty());
    }

    private Mono<Void> withdrawAndCommit() {
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
            Mono<Void> committed = Mono.from(last.commitTransaction()).doOnError(this::answered);
            return written == null ? committed : committed.then(written.note(last));
        });
    }

    private void answered(Throwable error) {
        if (FailureKind.of(error) == FailureKind.CONFLICT) {
            gate.reopen();
        }
    }
}
