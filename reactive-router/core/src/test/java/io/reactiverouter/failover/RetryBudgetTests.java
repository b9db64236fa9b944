package io.reactiverouter.failover;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class RetryBudgetTests {

    private final AtomicLong now = new AtomicLong();

    @Test
    void callsPermitTheirShareOfRetries() {
        RetryBudget budget = budget(10, 0);
        assertThat(permitted(budget))
                .as("of the thousand calls that it begins with")
                .isEqualTo(100);
        for (int i = 0; i < 500; i++) {
            budget.called();
        }
        assertThat(permitted(budget)).isEqualTo(50);
        passSeconds(3600);
        assertThat(permitted(budget)).isZero();
    }

    @Test
    void eachSecondPermitsAFew() {
        RetryBudget budget = budget(0, 10);
        assertThat(permitted(budget))
                .as("of the ten seconds that it begins with")
                .isEqualTo(100);
        for (int i = 0; i < 1000; i++) {
            budget.called();
        }
        assertThat(permitted(budget)).isZero();
        now.addAndGet(TimeUnit.MILLISECONDS.toNanos(300));
        assertThat(permitted(budget)).isEqualTo(3);
        passSeconds(3600);
        assertThat(permitted(budget)).as("no more than it holds").isEqualTo(100);
    }

    @Test
    void shortTimesAddUp() {
        RetryBudget budget = budget(0, 10);
        permitted(budget);
        int all = 0;
        for (int i = 0; i < 1000; i++) {
            now.addAndGet(TimeUnit.MICROSECONDS.toNanos(1500));
            all += permitted(budget);
        }
        assertThat(all).isBetween(14, 15);
    }

    @Test
    void nothingIsPermittedWhereNothingIsConfigured() {
        RetryBudget budget = budget(0, 0);
        budget.called();
        passSeconds(10);
        assertThat(permitted(budget)).isZero();
    }

    private RetryBudget budget(int percent, int perSecond) {
        return new RetryBudget(RetrySettings.DEFAULTS.withPercent(percent).withPerSecond(perSecond), now::get);
    }

    private void passSeconds(long seconds) {
        now.addAndGet(TimeUnit.SECONDS.toNanos(seconds));
    }

    private static int permitted(RetryBudget budget) {
        int count = 0;
        while (budget.permits()) {
            count++;
        }
        return count;
    }
}
