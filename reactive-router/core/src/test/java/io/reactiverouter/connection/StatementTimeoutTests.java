package io.reactiverouter.connection;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class StatementTimeoutTests {

    @Test
    void stepsAreQuartersOfPowersOfTwo() {
        assertThat(LongStream.of(1, 4, 5, 9, 11, 50, 100, 2048, 2049, 5050, 30_050)
                        .map(StatementTimeout::step)
                        .toArray())
                .containsExactly(1, 4, 5, 10, 12, 56, 112, 2048, 2560, 5120, 32_768);
    }

    @Test
    void stepIsNeverLessAndAtMostAQuarterMore() {
        for (long millis = 1; millis < 1L << 40; millis += 1 + millis / 97) {
            long step = StatementTimeout.step(millis);

            assertThat(step).as("of %s", millis).isBetween(millis, millis + millis / 4);
            assertThat(StatementTimeout.step(step)).isEqualTo(step);
        }
    }
}
