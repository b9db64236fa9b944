package io.reactiverouter.connection;

import io.r2dbc.spi.Connection;
import java.util.function.Function;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** The connections to one node. Nothing is opened before the first subscription to {@link #acquire} or {@link #warmup}. */
interface NodePool {

    /**
     * Hands out a connection, waiting for one at most as long as the settings, and a {@link Deadline} of the subscriber,
     * say. Its statements are then limited to the time left until that, or as they were in the beginning. Fails with
     * {@link PoolExhaustedException}, {@link AcquireTimeoutException}, {@link NodeUnreachableException},
     * {@link ClusterClosedException}, {@link CallTimeoutException} or the server's own refusal. A cancel before the connection arrives leaves it in the
     * pool.
     */
    Mono<LeasedConnection> acquire();

    /**
     * Does the same for an owner who goes on with whatever he likes, and gets the connection on its event loop: while
     * {@link #acquire} hands one out, nobody else gets one, and what takes its time must not be done there.
     */
    Mono<LeasedConnection> lend();

    /**
     * Returns {@code work} as it is done with a connection that is taken for it and given back before the end is told: begun, asked
     * for more and cancelled on the connection's event loop. {@code residue} says what it can leave there when it completes; after an
     * error or a cancel the connection is settled in any case.
     */
    <T> Flux<T> execute(ShardExecutor.Residue residue, Function<? super Connection, ? extends Publisher<T>> work);

    /** Returns the error of work that was not called because its connection had been closed by then. */
    NodeUnreachableException closed();

    /** Gives back a connection whose statements have all been answered; an open transaction is rolled back. */
    Mono<Void> release(LeasedConnection connection);

    /**
     * Gives back a connection in an unknown state: waits until the server has answered all that it was sent, after a
     * short grace asks it to cancel, rolls back what is open, and closes the connection if that takes too long. Never
     * fails, and ends within a few seconds.
     */
    Mono<Void> settleAndRelease(LeasedConnection connection);

    /** Closes a connection, which leaves its place in the pool to another. */
    Mono<Void> discard(LeasedConnection connection, Throwable cause);

    /** Opens the smallest number of connections, and at least one to see that the node answers. */
    Mono<Void> warmup();

    /** Closes idle connections at once and the others when they come back; later acquires fail. */
    Mono<Void> close();

    PoolStatistics statistics();

    /** Returns how many callers have, or wait for, a connection. */
    int load();
}
