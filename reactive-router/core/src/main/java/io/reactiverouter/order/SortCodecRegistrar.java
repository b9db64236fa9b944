package io.reactiverouter.order;

import io.netty.buffer.ByteBufAllocator;
import io.r2dbc.postgresql.api.PostgresqlConnection;
import io.r2dbc.postgresql.codec.CodecRegistry;
import io.r2dbc.postgresql.extension.CodecRegistrar;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;

/**
 * Lets a new connection give its sort keys to a {@link SortPlan}. It is an extension of the driver, asks the server for
 * nothing, and changes nothing for other readers of the connection.
 */
public final class SortCodecRegistrar implements CodecRegistrar {

    @Override
    public Publisher<Void> register(
            PostgresqlConnection connection, ByteBufAllocator allocator, CodecRegistry registry) {
        return Mono.fromRunnable(() -> registry.addLast(new KeyValueCodec()));
    }
}
