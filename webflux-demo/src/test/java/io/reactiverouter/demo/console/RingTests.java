package io.reactiverouter.demo.console;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RingTests {

    private final Ring<Integer> ring = new Ring<>(3);

    @Test
    void emptyRingHasNothing() {
        assertThat(ring.latest()).isEmpty();
    }

    @Test
    void latestComesFirstAndOldOnesAreDropped() {
        ring.add(1);
        ring.add(2);
        assertThat(ring.latest()).containsExactly(2, 1);

        ring.add(3);
        ring.add(4);
        assertThat(ring.latest()).containsExactly(4, 3, 2);
    }

    @Test
    void holdsNoMoreThanItsSizeWhoeverAdds() {
        IntStream.range(0, 10_000).parallel().forEach(ring::add);

        assertThat(ring.latest()).hasSize(3).doesNotContainNull().doesNotHaveDuplicates();
    }
}
