package io.reactiverouter;

import io.r2dbc.spi.Connection;
import io.reactiverouter.connection.ShardExecutor;
import io.reactiverouter.observation.CallInstrumentation;
import io.reactiverouter.observation.NodeCall;
import io.reactiverouter.routing.RoutingTable;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.NodeRole;
import java.util.function.Function;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;

/** Lets each attempt on a node be watched. Not in the path of a cluster without instrumentation. */
final class InstrumentedExecutor implements ShardExecutor {

    private final ShardExecutor delegate;
    private final CallInstrumentation instrumentation;
    private final RoutingTable table;

    private InstrumentedExecutor(ShardExecutor delegate, CallInstrumentation instrumentation, RoutingTable table) {
        this.delegate = delegate;
        this.instrumentation = instrumentation;
        this.table = table;
    }

    static ShardExecutor of(ShardExecutor delegate, CallInstrumentation instrumentation, RoutingTable table) {
        return instrumentation == CallInstrumentation.NONE
                ? delegate
                : new InstrumentedExecutor(delegate, instrumentation, table);
    }

    @Override
    public <T> Flux<T> execute(
            NodeId node, Residue residue, Function<? super Connection, ? extends Publisher<T>> work) {
        NodeRole role = table.takesWrites(node) ? NodeRole.PRIMARY : NodeRole.REPLICA;
        return instrumentation.attempt(new NodeCall(node, role), delegate.execute(node, residue, work));
    }
}
