package io.reactiverouter.connection;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class LifetimeTests {

    private static final Duration MAX = Duration.ofMinutes(30);

    @Test
    void lifetimesAreSpreadOverTheirLastTenth() {
        int[] tenths = new int[10];
        // Kept, so that no two have one identity.
        Object[] connections = new Object[10_000];
        for (int i = 0; i < connections.length; i++) {
            Object connection = new Object();
            connections[i] = connection;
            long millis = PooledConnection.lifetimeMillis(connection, MAX);
            assertThat(millis).isGreaterThan(MAX.toMillis() * 9 / 10).isLessThanOrEqualTo(MAX.toMillis());
            tenths[(int) ((MAX.toMillis() - millis) * 100 / MAX.toMillis())]++;
        }
        assertThat(Arrays.stream(tenths).boxed())
                .allSatisfy(count -> assertThat(count).isBetween(800, 1200));
    }

    @Test
    void lifetimeOfAConnectionStays() {
        Object connection = new Object();
        assertThat(PooledConnection.lifetimeMillis(connection, MAX))
                .isEqualTo(PooledConnection.lifetimeMillis(connection, MAX));
        assertThat(PooledConnection.lifetimeMillis(connection, Duration.ofMillis(1)))
                .isEqualTo(1);
    }
}
