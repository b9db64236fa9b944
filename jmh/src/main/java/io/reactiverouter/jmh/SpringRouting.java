package io.reactiverouter.jmh;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactory;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.springframework.r2dbc.connection.lookup.AbstractRoutingConnectionFactory;
import reactor.core.publisher.Mono;

/** Spring's routing by a key in the Reactor context. Without its {@code DatabaseClient}, whose cost is not that of routing. */
final class SpringRouting extends AbstractRoutingConnectionFactory {

    private static final String SHARD = "shard";

    /** Takes the factories by the index of the shard. */
    SpringRouting(List<? extends ConnectionFactory> factories) {
        Map<Object, Object> byShard = new HashMap<>();
        for (int i = 0; i < factories.size(); i++) {
            byShard.put(i, factories.get(i));
        }
        setTargetConnectionFactories(byShard);
        setLenientFallback(false);
        afterPropertiesSet();
    }

    /** Returns a connection to the shard of an account. */
    Mono<? extends Connection> connection(long account) {
        return create().contextWrite(context -> context.put(SHARD, Accounts.shard(account)));
    }

    @Override
    protected Mono<Object> determineCurrentLookupKey() {
        return Mono.deferContextual(context -> Mono.just(context.get(SHARD)));
    }
}
