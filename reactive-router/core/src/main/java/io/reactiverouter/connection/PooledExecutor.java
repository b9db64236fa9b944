package io.reactiverouter.connection;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.topology.NodeId;
import java.util.Set;
import java.util.function.Function;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;

/** Runs work on connections of the nodes' pools. */
final class PooledExecutor implements ShardExecutor {

    /** Cached plan must not change result type; no such prepared statement; protocol violation. */
    private static final Set<String> SPOILT = Set.of("0A000", "26000", "08P01");

    private final NodePools pools;

    PooledExecutor(NodePools pools) {
        this.pools = pools;
    }

    @Override
    public <T> Flux<T> execute(
            NodeId node, Residue residue, Function<? super Connection, ? extends Publisher<T>> work) {
        NodePool pool = pools.pool(node);
        return Flux.usingWhen(
                        pool.acquire(),
                        work,
                        residue == Residue.NONE ? pool::release : pool::settleAndRelease,
                        (connection, error) ->
                                isSpoilt(error) ? pool.discard(connection, error) : pool.settleAndRelease(connection),
                        pool::settleAndRelease)
                .onErrorMap(error -> NodeFailure.annotate(node, error));
    }

    /**
     * Says whether the driver and the server do not agree about prepared statements any more, as after a change of a table:
     * the same statement would fail again on this connection.
     */
    private static boolean isSpoilt(Throwable error) {
        return error instanceof R2dbcException refusal && SPOILT.contains(String.valueOf(refusal.getSqlState()));
    }
}
