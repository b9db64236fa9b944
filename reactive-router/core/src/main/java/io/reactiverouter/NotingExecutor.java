package io.reactiverouter;

import io.r2dbc.spi.Connection;
import io.reactiverouter.connection.ShardExecutor;
import io.reactiverouter.topology.NodeId;
import java.util.function.Function;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;

/** Notes how far the logs of shards are after work that may have written, where somebody wants to know. */
final class NotingExecutor implements ShardExecutor {

    private final ShardExecutor delegate;

    NotingExecutor(ShardExecutor delegate) {
        this.delegate = delegate;
    }

    @Override
    public <T> Flux<T> execute(
            NodeId node, Residue residue, Function<? super Connection, ? extends Publisher<T>> work) {
        return Flux.deferContextual(context -> {
            WrittenPosition written = WrittenPosition.of(context, node.shard());
            return written == null
                    ? delegate.execute(node, residue, work)
                    : written.noted(delegate.execute(node, residue, written.after(work)));
        });
    }
}
