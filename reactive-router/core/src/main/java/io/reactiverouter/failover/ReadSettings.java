package io.reactiverouter.failover;

import io.reactiverouter.connection.Limits;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How reads find a node.
 *
 * @param region where this client is, for {@link io.reactiverouter.topology.ReadPreference#nearest()}; null, the default, is
 *     nowhere in particular
 * @param catchUp how long a read waits on a replica for a write that it must see, before it goes to another node; 100 ms by
 *     default
 */
public record ReadSettings(@Nullable String region, Duration catchUp) {

    /** The documented defaults. */
    public static final ReadSettings DEFAULTS = new ReadSettings(null, Duration.ofMillis(100));

    public ReadSettings {
        if (region != null && region.isBlank()) {
            throw new IllegalArgumentException("region of the client must not be blank");
        }
        Limits.notNegative("read catchUp", catchUp);
    }

    public ReadSettings withRegion(String name) {
        return new ReadSettings(name, catchUp);
    }

    public ReadSettings withCatchUp(Duration wait) {
        return new ReadSettings(region, wait);
    }
}
