package io.reactiverouter.demo;

import org.springframework.core.io.buffer.DataBufferFactory;
import org.springframework.core.io.buffer.DefaultDataBufferFactory;
import org.springframework.http.server.reactive.ServerHttpResponseDecorator;
import org.springframework.stereotype.Component;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import reactor.core.publisher.Mono;

/**
 * Has answers encoded into plain arrays, which the garbage collector frees, and not into Netty's counted buffers. When a
 * client leaves in the middle of a stream, those that wait in a queue between Spring and Reactor Netty are never released:
 * they stand there as publishers, which nobody subscribes to or discards any more
 * (<a href="https://github.com/spring-projects/spring-framework/issues/36438">Spring issue 36438</a>).
 */
@Component
class HeapBuffersFilter implements WebFilter {

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
        return chain.filter(exchange.mutate()
                .response(new ServerHttpResponseDecorator(exchange.getResponse()) {
                    @Override
                    public DataBufferFactory bufferFactory() {
                        return DefaultDataBufferFactory.sharedInstance;
                    }
                })
                .build());
    }
}
