package io.reactiverouter.spring.autoconfigure;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What of the router can be seen from outside.
 *
 * @param slowThreshold How long a statement may take on a node before the log io.reactiverouter.sql shows it, without its
 *     parameters. None is shown unless set.
 * @param showSql Whether spans show statements, never their parameters.
 * @param rowSampling How often the planners of all shards are asked how many rows they have, for the meters of rows, keys and
 *     imbalance; 0 is never.
 * @param readiness Whether the readiness of the application includes that at least one shard takes writes.
 */
@ConfigurationProperties("reactive-router.observability")
public record ReactiveRouterObservabilityProperties(
        @Nullable Duration slowThreshold,
        @DefaultValue("false") boolean showSql,
        @DefaultValue("5m") Duration rowSampling,
        @DefaultValue("true") boolean readiness) {

    public ReactiveRouterObservabilityProperties {
        require(
                "slow-threshold",
                slowThreshold == null || (!slowThreshold.isNegative() && !slowThreshold.isZero()),
                slowThreshold,
                "positive, or not set");
        require("row-sampling", !rowSampling.isNegative(), rowSampling, "0 or more");
    }

    private static void require(String name, boolean valid, @Nullable Duration value, String rule) {
        if (!valid) {
            throw new IllegalArgumentException(
                    "reactive-router.observability." + name + " must be " + rule + ", was " + value);
        }
    }
}
