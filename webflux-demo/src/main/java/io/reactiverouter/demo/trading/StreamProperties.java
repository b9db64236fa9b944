package io.reactiverouter.demo.trading;

import jakarta.validation.constraints.Positive;
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
 */
@Validated
@ConfigurationProperties("demo.streams")
record StreamProperties(
        @DefaultValue("8") @Positive int max,
        @DefaultValue("64") @Positive int fetchSize) {}
