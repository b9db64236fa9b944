package io.reactiverouter.reliability;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The settings of the suite, from system properties. */
final class Reliability {

    private static final long BRIEF_SEED = 20261122;
    private static final @Nullable Long MINUTES = Long.getLong("reliability.minutes");
    private static final long SEED =
            Long.getLong("reliability.seed", MINUTES == null ? BRIEF_SEED : System.nanoTime() & 0xffffff);

    private Reliability() {}

    static boolean isFull() {
        return MINUTES != null;
    }

    /** Says whether a single busy moment of the machine does not count any more. */
    static boolean isLongEnoughForTimes() {
        return MINUTES != null && MINUTES >= 5;
    }

    /** Prints the seed, so that it is known whatever happens next. */
    static Plan plan() {
        Plan plan = MINUTES == null ? Plan.brief(SEED) : Plan.full(SEED, Duration.ofMinutes(MINUTES));
        System.out.println("reliability: seed " + plan.seed() + "; " + replay(plan));
        return plan;
    }

    /** Prints the figures; fails if something was that must not be. */
    static void require(Report report) {
        System.out.print(report);
        assertThat(report.violations())
                .as("what must not be; %s", replay(report.plan()))
                .isEmpty();
    }

    private static String replay(Plan plan) {
        return "again: mvn verify "
                + (MINUTES == null
                        ? "-Dit.test=ReliabilityIntegrationTests"
                        : "-Preliability -Dreliability.minutes=" + MINUTES)
                + " -Dreliability.seed=" + plan.seed();
    }
}
