package io.reactiverouter.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.reactiverouter.topology.ShardId;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModuloTests {

    @ParameterizedTest
    @CsvSource({
        "7, 2, s1",
        "0, 2, s0",
        "-1, 2, s1",
        "-4, 3, s2",
        "9223372036854775807, 3, s1",
        "-9223372036854775808, 3, s1"
    })
    void remainderIsNeverNegative(long key, int shards, String expected) {
        int[] weights = new int[shards];
        Arrays.fill(weights, 1);

        assertThat(Modulo.over(HashSlotsTests.shards(weights)).locate(ShardKey.of(key)))
                .isEqualTo(ShardId.of(expected));
    }

    @Test
    void onlyIntegerKeysArePlaced() {
        Modulo modulo = Modulo.over(HashSlotsTests.shards(1, 1));

        assertThatExceptionOfType(UnroutableKeyException.class)
                .isThrownBy(() -> modulo.locate(ShardKey.of("tenant-7")))
                .withMessageContaining("\"tenant-7\"")
                .withMessageContaining("hash slots");
        assertThatExceptionOfType(UnroutableKeyException.class)
                .isThrownBy(() -> modulo.locate(ShardKey.of(UUID.randomUUID())));
    }

    @Test
    void noShardIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> Modulo.over(List.of()));
    }
}
