package io.reactiverouter.reliability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Everything at once: 64 clients, three shards with a replica each, and every fault there is, in an order that a seed decides.
 * The brief form strikes with each fault once; {@code -Preliability} goes on for ten minutes, or
 * {@code -Dreliability.minutes}. A run is replayed with {@code -Dreliability.seed}.
 */
@Tag("undisturbed")
@Timeout(value = 5, unit = TimeUnit.HOURS)
class ReliabilityIntegrationTests {

    @Test
    void nothingIsLostOrDoneTwiceOrHangs() {
        Report report = Run.of(Reliability.plan());
        Reliability.require(report);
        assertThat(report.count(Outcome.ACKNOWLEDGED)).as("acknowledged").isGreaterThan(1_000);
        assertThat(report.count(Outcome.UNKNOWN)).as("unknown").isPositive();
        if (Reliability.isLongEnoughForTimes()) {
            assertThat(report.p99OfOthers())
                    .as("99th percentile of calls to other shards while one is down, usually %s", report.usualP99())
                    .isLessThanOrEqualTo(report.usualP99().multipliedBy(2));
        }
    }

    /** A quarter of the time, and only in the long form. */
    @Test
    void asynchronousReplicationLosesOnlyWhatItSays() {
        assumeTrue(Reliability.isFull(), "only with -Preliability");
        Plan plan = Reliability.plan();
        Reliability.require(Run.of(plan.asynchronous()
                .withLength(plan.length().dividedBy(4))
                .withFaults(
                        Fault.KILL,
                        Fault.PROMOTE_AFTER_KILL,
                        Fault.PROMOTE_AFTER_PAUSE,
                        Fault.PROMOTE_AFTER_CUT,
                        Fault.PROMOTE_BESIDE)));
    }
}
