package io.reactiverouter.demo.trading;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Positive;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Sample data for empty tables.
 *
 * @param enabled Whether to load any.
 * @param users Users, numbered from 1.
 * @param orders Orders, spread over the users at random.
 * @param seed Seed of the random numbers: the same seed gives the same rows.
 */
@Validated
@ConfigurationProperties("demo.load")
record LoadProperties(
        @DefaultValue("true") boolean enabled,
        @DefaultValue("10000") @Positive @Max(1_000_000) int users,
        @DefaultValue("100000") @Positive @Max(4_000_000) int orders,
        @DefaultValue("20261121") long seed) {}
