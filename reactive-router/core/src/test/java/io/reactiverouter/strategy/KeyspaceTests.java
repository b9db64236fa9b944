package io.reactiverouter.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KeyspaceTests {

    private static final Keyspace TRADING = Keyspace.named("trading").key("user_id");

    @Test
    void hashSlotsAreTheDefault() {
        assertThat(TRADING.strategy().create(HashSlotsTests.shards(1, 1))).isInstanceOf(HashSlots.class);
        assertThat(TRADING.tables("orders", "audit.trades").tables()).containsExactly("orders", "audit.trades");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "1a", "a b", "a;drop table b", "a\"b", "a.b.c", "\u00e4", "a\0"})
    void hostileIdentifierIsRefused(String name) {
        assertThatIllegalArgumentException().isThrownBy(() -> TRADING.tables(name));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Keyspace.named("trading").key(name))
                .withMessageContaining("key column of keyspace trading");
        assertThatIllegalArgumentException().isThrownBy(() -> Keyspace.named(name));
    }

    @Test
    void tableComesOnce() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TRADING.tables("orders", "orders"))
                .withMessageContaining("orders twice");
    }
}
