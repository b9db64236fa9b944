package io.reactiverouter.reliability;

import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.reliability.SwitchedOff.Mechanism;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** With a mechanism switched off, the suite must find what it is there to prevent. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ReliabilityTeethIntegrationTests {

    private static final Plan PLAN = Plan.brief(7).withShards(1).withLength(Duration.ofSeconds(2));

    @Test
    void whatIsMadeAgainThoughItMayHaveRunIsDoneTwice() {
        assertThat(violationsWithout(Mechanism.CLASSIFIER, PLAN.withFaults(Fault.RESET)))
                .contains("done 2 times");
    }

    @Test
    void sessionThatIsNotResetShowsRowsOfAnotherKey() {
        assertThat(violationsWithout(Mechanism.SESSION_RESET, PLAN.withFaults(Fault.CANCEL_STORM)))
                .contains("a row of key");
    }

    @Test
    void transactionThatIsNotRolledBackTakesAcknowledgedWritesWithIt() {
        assertThat(violationsWithout(Mechanism.SETTLING, PLAN.withFaults(Fault.CANCEL_STORM)))
                .contains("an acknowledged write is lost");
    }

    @Test
    void nothingIsFoundWhileAllAreOn() {
        Report report = Run.of(PLAN.withFaults(Fault.RESET, Fault.CANCEL_STORM));
        assertThat(report.violations()).isEmpty();
    }

    private static String violationsWithout(Mechanism mechanism, Plan plan) {
        Report report = SwitchedOff.during(mechanism, () -> Run.of(plan));
        System.out.println("without " + mechanism + ": " + report);
        return String.join("\n", report.violations());
    }
}
