package io.reactiverouter.health;

import io.reactiverouter.connection.Limits;
import java.time.Duration;

/**
 * How nodes are watched. Each node has one connection apart from its pool for that.
 *
 * @param interval from the end of one probe of a node to the next, give or take a tenth; 5 s by default
 * @param timeout for a probe, opening its connection included; 2 s by default
 * @param failures after how many failed probes in a row a node is ejected; 3 by default
 * @param maxLag how far a replica may be behind in time before it counts as lagging; 10 s by default
 */
public record HealthSettings(Duration interval, Duration timeout, int failures, Duration maxLag) {

    /** The documented defaults. */
    public static final HealthSettings DEFAULTS =
            new HealthSettings(Duration.ofSeconds(5), Duration.ofSeconds(2), 3, Duration.ofSeconds(10));

    public HealthSettings {
        Limits.positive("health interval", interval);
        Limits.positive("health timeout", timeout);
        Limits.atLeast("health failures", 1, failures);
        Limits.positive("health maxLag", maxLag);
    }

    public HealthSettings withInterval(Duration duration) {
        return new HealthSettings(duration, timeout, failures, maxLag);
    }

    public HealthSettings withTimeout(Duration duration) {
        return new HealthSettings(interval, duration, failures, maxLag);
    }

    public HealthSettings withFailures(int count) {
        return new HealthSettings(interval, timeout, count, maxLag);
    }

    public HealthSettings withMaxLag(Duration duration) {
        return new HealthSettings(interval, timeout, failures, duration);
    }
}
