package io.reactiverouter.demo.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class RateWindowTests {

    private static final long SECOND = Duration.ofSeconds(1).toNanos();

    private final RateWindow window = new RateWindow();

    @Test
    void firstReadingIsNoRate() {
        assertThat(window.add(7 * SECOND, 1_000)).isZero();
    }

    @Test
    void rateIsThatOfTheLastFiveSeconds() {
        for (int second = 0; second <= 10; second++) {
            window.add(second * SECOND, second * 100L);
        }
        assertThat(window.add(11 * SECOND, 1_000 + 600)).isCloseTo((1_600 - 600) / 5.0, within(1e-9));
    }

    @Test
    void afterAPauseItBeginsAnew() {
        window.add(0, 0);
        window.add(SECOND, 50);

        assertThat(window.add(60 * SECOND, 5_000)).isZero();
        assertThat(window.add(61 * SECOND, 5_010)).isCloseTo(10, within(1e-9));
    }
}
