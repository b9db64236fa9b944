package io.reactiverouter.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@NullUnmarked
class ShardKeyTests {

    @Test
    void nullIsNoKey() {
        assertThatExceptionOfType(UnroutableKeyException.class)
                .isThrownBy(() -> ShardKey.of((String) null))
                .withMessageContaining("must not be null");
        assertThatExceptionOfType(UnroutableKeyException.class)
                .isThrownBy(() -> ShardKey.of((UUID) null))
                .withMessageContaining("must not be null");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\0b", "\ud83d", "\ude00", "x\ud83dy", "\ude00\ud83d"})
    void textThatPostgresCannotStoreIsNoKey(String text) {
        assertThatExceptionOfType(UnroutableKeyException.class)
                .isThrownBy(() -> ShardKey.of(text))
                .withMessageContaining("PostgreSQL cannot store");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a", "\u00e4\u6f22", "\ud83d\ude00", "x\ud83d\ude00y"})
    void otherTextIsAKey(String text) {
        assertThat(ShardKey.of(text).parameter()).isEqualTo(text);
    }

    @Test
    void typeIsPartOfTheKey() {
        assertThat(ShardKey.of(7)).isEqualTo(ShardKey.of(7L)).isNotEqualTo(ShardKey.of("7"));
    }

    @Test
    void timesThatPostgresqlCannotHoldAreRefused() {
        assertThat(ShardKey.of(Instant.parse("2026-01-01T00:00:00.123456Z")).parameter())
                .isEqualTo(Instant.parse("2026-01-01T00:00:00.123456Z"));
        assertThatExceptionOfType(UnroutableKeyException.class)
                .isThrownBy(() -> ShardKey.of(Instant.parse("2026-01-01T00:00:00.123456789Z")))
                .withMessageContaining("truncatedTo(ChronoUnit.MICROS)");
        for (Instant outside : List.of(Instant.MIN, Instant.MAX, Instant.parse("+294277-01-01T00:00:00Z"))) {
            assertThatExceptionOfType(UnroutableKeyException.class)
                    .isThrownBy(() -> ShardKey.of(outside.truncatedTo(ChronoUnit.MICROS)))
                    .withMessageContaining("calendar");
        }
    }

    @Test
    void regionGoesWithAKeyOnce() {
        ShardKey regional = ShardKey.inRegion("eu", ShardKey.of(7));

        assertThat(regional).hasToString("eu/7").isNotEqualTo(ShardKey.of(7));
        assertThat(regional.parameter()).isEqualTo(7L);
        assertThatExceptionOfType(UnroutableKeyException.class)
                .isThrownBy(() -> ShardKey.inRegion("us", regional))
                .withMessageContaining("has a region already");
        assertThatExceptionOfType(UnroutableKeyException.class)
                .isThrownBy(() -> ShardKey.inRegion(null, ShardKey.of(7)))
                .withMessageContaining("must not be null");
        assertThatExceptionOfType(UnroutableKeyException.class).isThrownBy(() -> ShardKey.inRegion("eu", null));
    }
}
