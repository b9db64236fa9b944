package io.reactiverouter;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.ConnectionFactoryMetadata;
import reactor.core.publisher.Mono;

/** Connections of the pool of one shard, in the form that other tools take. */
record ShardConnectionFactory(ShardOperations shard) implements ConnectionFactory {

    @Override
    public Mono<Connection> create() {
        return shard.connection();
    }

    @Override
    public ConnectionFactoryMetadata getMetadata() {
        return () -> "PostgreSQL";
    }
}
