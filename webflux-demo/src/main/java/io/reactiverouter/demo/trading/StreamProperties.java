package io.reactiverouter.demo.trading;

import jakarta.validation.constraints.Positive;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Streams to clients.
 *
 * @param max Streams that may be open at a time. Each holds a connection of every shard for as long as its client reads,
 *     so this must stay below the size of a pool.
 * @param fetchSize Orders that a shard sends at once: what a stream whose client does not read on keeps in memory for each
 *     shard.
 * @param maxDuration How long a stream may be open. Its last event says so then, and how far each shard had come.
 * @param idleTimeout How long a client may read nothing before its stream ends and frees what it holds. The last event says
 *     so if the client reads on within the same time again; then its connection is closed.
 */
@Validated
@ConfigurationProperties("demo.streams")
record StreamProperties(
        @DefaultValue("8") @Positive int max,
        @DefaultValue("64") @Positive int fetchSize,
        @DefaultValue("30m") @DurationMin(millis = 1) Duration maxDuration,
        @DefaultValue("1m") @DurationMin(millis = 1) Duration idleTimeout) {}
