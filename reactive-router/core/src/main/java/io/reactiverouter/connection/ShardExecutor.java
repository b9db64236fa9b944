package io.reactiverouter.connection;

import io.r2dbc.spi.Connection;
import io.reactiverouter.topology.NodeId;
import java.util.function.Function;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;

/**
 * The one place through which every statement of the router passes: acquires a connection to a node, runs work on it and
 * gives it back exactly once, on completion, error and cancel. Decorators add behaviour around it.
 */
@FunctionalInterface
public interface ShardExecutor {

    /**
     * Runs {@code work} on a connection to {@code node}, once per subscription.
     *
     * @param residue what the work can leave behind on the connection when it completes
     */
    <T> Flux<T> execute(NodeId node, Residue residue, Function<? super Connection, ? extends Publisher<T>> work);

    /** What completed work can leave on its connection. After an error or a cancel anything is possible. */
    enum Residue {
        /** Nothing: the router itself ran the statements and has read their answers to the end. */
        NONE,
        /** Statements that are still running or a transaction that is still open: the caller had the connection. */
        POSSIBLE
    }
}
