package io.reactiverouter.connection;

import io.r2dbc.spi.Connection;
import io.reactiverouter.topology.NodeId;
import reactor.core.publisher.Mono;

/** Looks at each new connection of a pool before its first use. */
@FunctionalInterface
public interface ConnectionCheck {

    /** Completes if the connection will do; otherwise fails, and the connection is closed. Its time is that of connecting. */
    Mono<Void> check(NodeId node, Connection connection);
}
