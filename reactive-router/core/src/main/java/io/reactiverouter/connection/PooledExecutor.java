package io.reactiverouter.connection;

import io.r2dbc.spi.Connection;
import io.reactiverouter.stream.OnError;
import io.reactiverouter.topology.NodeId;
import java.util.function.Function;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;

/** Runs work on connections of the nodes' pools. */
final class PooledExecutor implements ShardExecutor {

    private final NodePools pools;

    PooledExecutor(NodePools pools) {
        this.pools = pools;
    }

    @Override
    public <T> Flux<T> execute(
            NodeId node, Residue residue, Function<? super Connection, ? extends Publisher<T>> work) {
        return OnError.map(pools.pool(node).execute(residue, work), error -> NodeFailure.annotate(node, error));
    }
}
