package io.reactiverouter.failover;

import io.reactiverouter.connection.Limits;
import java.time.Duration;

/**
 * How calls wait while a shard has no primary that answers. Only calls that have provably done nothing wait, and those that may
 * be run again; the others fail.
 *
 * @param maxWait how long such a call waits at most, from its first failure; zero is not at all; 10 s by default
 * @param maxWaiting how many calls of a shard may wait, the next one fails at once; 1 000 by default
 */
public record FailoverSettings(Duration maxWait, int maxWaiting) {

    /** The documented defaults. */
    public static final FailoverSettings DEFAULTS = new FailoverSettings(Duration.ofSeconds(10), 1_000);

    public FailoverSettings {
        Limits.notNegative("failover maxWait", maxWait);
        Limits.atLeast("failover maxWaiting", 0, maxWaiting);
    }

    public FailoverSettings withMaxWait(Duration wait) {
        return new FailoverSettings(wait, maxWaiting);
    }

    public FailoverSettings withMaxWaiting(int calls) {
        return new FailoverSettings(maxWait, calls);
    }
}
