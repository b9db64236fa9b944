package io.reactiverouter.reliability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.reactiverouter.reliability.SwitchedOff.Mechanism;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** With a mechanism switched off, the suite must find what it is there to prevent. */
@Tag("undisturbed")
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ReliabilityTeethIntegrationTests {

    /** Shorter than the time limits of calls, so that what is under way is still waited for when a fault ends. */
    private static final Plan PLAN =
            new Plan(7, Duration.ofSeconds(8), Duration.ofMillis(100), Duration.ofMillis(250), 1, true, List.of());

    @BeforeEach
    void onlyInTheLongForm() {
        assumeTrue(Reliability.isFull(), "only with -Preliability");
    }

    @Test
    void whatIsMadeAgainThoughItMayHaveRunIsDoneTwice() {
        assertThat(violationsWithout(Mechanism.CLASSIFIER, PLAN.withFaults(Fault.HALF_OPEN_RESET)))
                .contains(Violation.DONE_TWICE);
    }

    @Test
    void sessionThatIsNotResetShowsRowsOfAnotherKey() {
        assertThat(violationsWithout(Mechanism.SESSION_RESET, PLAN.withFaults(Fault.CANCEL_STORM)))
                .contains(Violation.ROWS_OF_OTHERS);
    }

    @Test
    void transactionThatIsNotRolledBackIsCommittedBySomebodyElse() {
        assertThat(violationsWithout(Mechanism.SETTLING, PLAN.withFaults(Fault.CANCEL_STORM)))
                .contains(Violation.NOT_WANTED, Violation.BOOKS_DO_NOT_BALANCE);
    }

    @Test
    void callThatHasNoTimeLimitEndsTooLate() {
        Plan plan =
                new Plan(7, Duration.ZERO, Duration.ofSeconds(3), Duration.ofSeconds(3), 1, true, List.of(Fault.CUT));
        assertThat(violationsWithout(Mechanism.TIME_LIMIT, plan)).contains(Violation.LATE);
    }

    @Test
    void nothingIsFoundWhileAllAreOn() {
        Report report = Run.of(PLAN.withFaults(Fault.HALF_OPEN_RESET, Fault.CANCEL_STORM));
        assertThat(report.violations()).isEmpty();
    }

    private static Set<Violation> violationsWithout(Mechanism mechanism, Plan plan) {
        Report report = SwitchedOff.during(mechanism, () -> Run.of(plan));
        System.out.println("without " + mechanism + ": " + report);
        return report.violations().keySet();
    }
}
