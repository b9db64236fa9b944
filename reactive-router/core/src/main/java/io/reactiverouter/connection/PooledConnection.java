package io.reactiverouter.connection;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ValidationDepth;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;
import reactor.util.Logger;
import reactor.util.Loggers;

/** A connection of a pool for as long as it is open, and what each use of it would have to look up otherwise. */
final class PooledConnection {

    private static final Logger LOG = Loggers.getLogger(PooledConnection.class);

    private final Connection physical;
    private final EventLoops.ConnectionLoop loop;
    private final Callable<Boolean> open;
    private final long lifetimeMillis;

    PooledConnection(Connection physical, EventLoops.ConnectionLoop loop, Duration maxLifetime) {
        this.physical = physical;
        this.loop = loop;
        this.open = open(physical);
        this.lifetimeMillis = lifetimeMillis(physical, maxLifetime);
    }

    /** Returns the connection of the driver. */
    Connection physical() {
        return physical;
    }

    /** Returns where it lives; when it has been closed what runs there finds that out. */
    EventLoops.ConnectionLoop loop() {
        return loop;
    }

    /** Says whether neither side has closed it, as far as the driver knows; sends nothing. */
    boolean isOpen() {
        try {
            return Boolean.TRUE.equals(open.call());
        } catch (Exception e) {
            LOG.debug("a connection does not say whether it is open", e);
            return false;
        }
    }

    /** Returns how old it may become. */
    long lifetimeMillis() {
        return lifetimeMillis;
    }

    /** Local validation answers at once, anew each time that it is called: the driver reads a flag of the channel. */
    @SuppressWarnings("unchecked")
    private static Callable<Boolean> open(Connection connection) {
        Publisher<Boolean> answer = connection.validate(ValidationDepth.LOCAL);
        return answer instanceof Callable<?> known
                ? (Callable<Boolean>) known
                : () -> Mono.from(connection.validate(ValidationDepth.LOCAL))
                        .toFuture()
                        .getNow(false);
    }

    /**
     * Each connection has its own lifetime, up to a tenth shorter than the settings say: connections that were opened
     * together, as after a failover, are not all opened again together.
     */
    static long lifetimeMillis(Object connection, Duration max) {
        // Spread over all bits; identity hashes have 25 to 31 of them.
        int spread = (System.identityHashCode(connection) * 0x9E3779B9) >>> 22;
        long millis = max.toMillis();
        return millis - (long) (millis * (spread / 10_240.0));
    }
}
