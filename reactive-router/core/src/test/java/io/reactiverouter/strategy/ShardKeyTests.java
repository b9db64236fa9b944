package io.reactiverouter.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShardKeyTests {

    @Test
    @NullUnmarked
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
}
