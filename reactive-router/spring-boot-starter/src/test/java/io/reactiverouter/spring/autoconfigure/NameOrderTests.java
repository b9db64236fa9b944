package io.reactiverouter.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class NameOrderTests {

    @Test
    void numbersCountByValueAndTheRestByCharacter() {
        List<String> ordered = List.of(
                "1", "2", "10", "a-1", "a", "eu-2", "eu-10", "eu-west", "s", "s0", "s1", "s01", "s1a", "s2", "s10",
                "us");
        List<String> sorted = new ArrayList<>(ordered);
        for (long seed = 0; seed < 50; seed++) {
            Collections.shuffle(sorted, new Random(seed));
            sorted.sort(NameOrder.NATURAL);
            assertThat(sorted)
                    .as("seed %d", seed)
                    .containsExactly(
                            "1", "2", "10", "a", "a-1", "eu-2", "eu-10", "eu-west", "s", "s0", "s01", "s1", "s1a", "s2",
                            "s10", "us");
        }
    }

    @Test
    void numbersOfAnyLengthAreCompared() {
        assertThat(NameOrder.NATURAL.compare("s99999999999999999999", "s100000000000000000000"))
                .isNegative();
        assertThat(NameOrder.NATURAL.compare("s7", "s7")).isZero();
    }
}
