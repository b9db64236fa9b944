package io.reactiverouter.connection;

import io.r2dbc.spi.Connection;
import io.reactiverouter.observation.CallOutcome;
import io.reactiverouter.observation.ClusterListener;
import io.reactiverouter.topology.NodeId;
import java.util.function.Function;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.SignalType;

/** Tells a listener how every call ends. Not in the path of a cluster whose listeners do not ask for that. */
final class ListeningExecutor implements ShardExecutor {

    private final ShardExecutor delegate;
    private final ClusterListener listener;

    ListeningExecutor(ShardExecutor delegate, ClusterListener listener) {
        this.delegate = delegate;
        this.listener = listener;
    }

    @Override
    public <T> Flux<T> execute(
            NodeId node, Residue residue, Function<? super Connection, ? extends Publisher<T>> work) {
        return Flux.defer(() -> {
            long start = System.nanoTime();
            return delegate.execute(node, residue, work)
                    .doFinally(signal -> listener.completed(node, outcome(signal), System.nanoTime() - start));
        });
    }

    private static CallOutcome outcome(SignalType signal) {
        return switch (signal) {
            case ON_COMPLETE -> CallOutcome.COMPLETE;
            case ON_ERROR -> CallOutcome.FAILED;
            default -> CallOutcome.CANCELLED;
        };
    }
}
