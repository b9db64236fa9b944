package io.reactiverouter;

import io.r2dbc.spi.Connection;
import io.reactiverouter.connection.AnswerTimeout;
import io.reactiverouter.connection.CallTimeoutException;
import io.reactiverouter.connection.Deadline;
import io.reactiverouter.connection.NodePools;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** The transaction that a call runs in, carried in the Reactor context. */
final class TransactionScope {

    private final ShardId shard;
    private final Mono<Connection> connection;
    private final Supplier<CallTimeoutException.Consequence> consequence;
    private final boolean foreign;
    private final AtomicReference<@Nullable CallTimeoutException> timedOut = new AtomicReference<>();

    private TransactionScope(
            ShardId shard,
            Mono<Connection> connection,
            Supplier<CallTimeoutException.Consequence> consequence,
            boolean foreign) {
        this.shard = shard;
        this.connection = connection;
        this.consequence = consequence;
        this.foreign = foreign;
    }

    /** Returns the scope of a transaction that we commit if the gate lets us. */
    static TransactionScope own(ShardId shard, Connection connection, CommitGate gate) {
        return new TransactionScope(shard, Mono.just(connection), gate::close, false);
    }

    /** Returns the scope of a transaction that somebody else commits. */
    static TransactionScope foreign(ShardId shard, Mono<? extends Connection> connection) {
        return new TransactionScope(
                shard,
                connection.map(NodePools::unclosable),
                () -> CallTimeoutException.Consequence.TO_ROLL_BACK,
                true);
    }

    /** Says whether somebody else commits. */
    boolean isForeign() {
        return foreign;
    }

    ShardId shard() {
        return shard;
    }

    /** Returns the connection for a call to {@code requested}, or the error that it is another shard. */
    Mono<Connection> join(ShardId requested) {
        return requested.equals(shard)
                ? connection
                : Mono.error(new CrossShardTransactionException(shard, "shard " + requested));
    }

    /**
     * Limits a call inside. The statement that it gave up is still running and would be committed, even where the caller
     * swallows the error: {@link #timedOut()} says that it must not.
     */
    <T> Flux<T> limit(Flux<T> call, @Nullable Duration timeout, @Nullable Deadline deadline) {
        return timeout == null && deadline == null
                ? call
                : AnswerTimeout.limit(call, shard, timeout, deadline, consequence)
                        .doOnError(CallTimeoutException.class, error -> timedOut.compareAndSet(null, error));
    }

    /** Returns how the first call inside ran out of time, null if none did. */
    @Nullable CallTimeoutException timedOut() {
        return timedOut.get();
    }
}
