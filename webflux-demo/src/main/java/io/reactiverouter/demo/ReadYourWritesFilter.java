package io.reactiverouter.demo;

import io.reactiverouter.routing.ReadYourWrites;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.ServerWebInputException;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import reactor.core.publisher.Mono;

/**
 * Has a client's reads show what it has written, also where they come from replicas: the answer to a write carries a token, and
 * the requests that have to see it carry it back.
 */
@Component
class ReadYourWritesFilter implements WebFilter {

    static final String HEADER = "Read-Your-Writes";

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
        ReadYourWrites writes;
        try {
            writes = read(exchange.getRequest().getHeaders().getFirst(HEADER));
        } catch (IllegalArgumentException e) {
            return Mono.error(new ServerWebInputException("header " + HEADER + ": " + e.getMessage()));
        }
        exchange.getResponse().beforeCommit(() -> {
            String token = writes.token();
            if (!token.isEmpty()) {
                exchange.getResponse().getHeaders().set(HEADER, token);
            }
            return Mono.empty();
        });
        return chain.filter(exchange).contextWrite(writes.context());
    }

    private static ReadYourWrites read(@Nullable String token) {
        return token == null ? ReadYourWrites.begin() : ReadYourWrites.of(token);
    }
}
