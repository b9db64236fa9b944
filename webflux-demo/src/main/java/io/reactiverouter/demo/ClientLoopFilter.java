package io.reactiverouter.demo;

import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.http.server.reactive.ServerHttpResponseDecorator;
import org.springframework.stereotype.Component;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import reactor.netty.http.server.HttpServerResponse;

/**
 * Has the elements of a stream come on the event loop of its client's connection, and not on those of the database's. Reactor
 * Netty writes each element and a flush as one {@code concat}, and Reactor's loses what is asked of it on one thread at the
 * moment when the element comes on another (seen in reactor-core 3.8.6): the client then waits for ever for the rest. Streams
 * whose clients are slow ask often at such moments.
 */
@Component
class ClientLoopFilter implements WebFilter {

    /** So many elements of a stream may be on their way between the threads. */
    private static final int PREFETCH = 32;

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
        return chain.filter(
                exchange.mutate().response(new Streamed(exchange.getResponse())).build());
    }

    private static final class Streamed extends ServerHttpResponseDecorator {

        Streamed(ServerHttpResponse response) {
            super(response);
        }

        @Override
        public Mono<Void> writeAndFlushWith(Publisher<? extends Publisher<? extends DataBuffer>> elements) {
            HttpServerResponse client = getNativeResponse(getDelegate());
            AtomicReference<@Nullable Executor> loop = new AtomicReference<>();
            client.withConnection(connection -> loop.set(connection.channel().eventLoop()));
            Executor found = loop.get();
            return super.writeAndFlushWith(
                    found == null
                            ? elements
                            : Flux.<Publisher<? extends DataBuffer>>from(elements)
                                    .publishOn(Schedulers.fromExecutor(found), PREFETCH));
        }
    }
}
