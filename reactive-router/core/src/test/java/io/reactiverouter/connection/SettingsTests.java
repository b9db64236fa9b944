package io.reactiverouter.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class SettingsTests {

    private static final PoolSettings POOL = PoolSettings.DEFAULTS;
    private static final ConnectionSettings CONNECTION = ConnectionSettings.DEFAULTS;

    @Test
    void withersChangeOneSetting() {
        assertThat(POOL.withMinSize(2)
                        .withMaxSize(20)
                        .withMaxPending(0)
                        .withAcquireTimeout(Duration.ofSeconds(1))
                        .withMaxIdleTime(Duration.ofSeconds(2))
                        .withMaxLifetime(Duration.ofSeconds(3))
                        .withLeakThreshold(Duration.ofSeconds(4)))
                .isEqualTo(new PoolSettings(
                        2,
                        20,
                        0,
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(2),
                        Duration.ofSeconds(3),
                        Duration.ofSeconds(4)));
        assertThat(CONNECTION
                        .withConnectTimeout(Duration.ofSeconds(1))
                        .withStatementTimeout(Duration.ZERO)
                        .withTls(TlsMode.VERIFY_FULL)
                        .withApplicationName("demo"))
                .isEqualTo(new ConnectionSettings(Duration.ofSeconds(1), Duration.ZERO, TlsMode.VERIFY_FULL, "demo"));
    }

    @Test
    void limitsAreChecked() {
        refused(() -> POOL.withMaxSize(0), "pool maxSize must be at least 1, was 0");
        refused(() -> POOL.withMaxSize(-3), "pool maxSize must be at least 1, was -3");
        refused(() -> POOL.withMinSize(-1), "pool minSize must be at least 0, was -1");
        refused(() -> POOL.withMinSize(11), "minSize <= maxSize, were 11 and 10");
        refused(() -> POOL.withMaxPending(-1), "pool maxPending must be at least 0, was -1");
        refused(() -> POOL.withAcquireTimeout(Duration.ZERO), "pool acquireTimeout must be positive, was PT0S");
        refused(() -> POOL.withMaxIdleTime(Duration.ofSeconds(-1)), "pool maxIdleTime must be positive, was PT-1S");
        refused(() -> POOL.withMaxLifetime(Duration.ZERO), "pool maxLifetime must be positive");
        refused(() -> POOL.withLeakThreshold(Duration.ofMillis(-1)), "pool leakThreshold must not be negative");
        refused(() -> CONNECTION.withConnectTimeout(Duration.ZERO), "connectTimeout must be positive");
        refused(() -> CONNECTION.withStatementTimeout(Duration.ofMillis(-1)), "statementTimeout must not be negative");
        refused(() -> CONNECTION.withApplicationName(" "), "applicationName must not be blank");
    }

    private static void refused(Runnable change, String message) {
        assertThatIllegalArgumentException().isThrownBy(change::run).withMessageContaining(message);
    }
}
