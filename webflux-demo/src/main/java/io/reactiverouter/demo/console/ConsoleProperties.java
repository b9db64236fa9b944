package io.reactiverouter.demo.console;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Positive;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * The console.
 *
 * @param enabled Whether there is one.
 * @param interval How often the page is told how the shards are.
 * @param rowSampling How often the planners of all shards are asked for their rows while somebody looks.
 * @param heartbeat How often a stream says that it is still there, whatever else it says.
 * @param idleTimeout For how long a page may read nothing.
 * @param maxViewers Pages that may look at a time.
 */
@Validated
@ConfigurationProperties("demo.console")
record ConsoleProperties(
        @DefaultValue("true") boolean enabled,
        @DefaultValue("1s") @DurationMin(millis = 100) Duration interval,
        @DefaultValue("10s") @DurationMin(millis = 100) Duration rowSampling,
        @DefaultValue("15s") @DurationMin(millis = 100) Duration heartbeat,
        @DefaultValue("30s") @DurationMin(millis = 100) Duration idleTimeout,
        @DefaultValue("16") @Positive @Max(1_000) int maxViewers) {}
