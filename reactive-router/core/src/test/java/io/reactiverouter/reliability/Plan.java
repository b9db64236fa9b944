package io.reactiverouter.reliability;

import java.time.Duration;
import java.util.EnumSet;
import java.util.List;

/**
 * What a run does. The same plan strikes with the same faults in the same order, for as long each; when a call meets a fault
 * is up to the machine.
 *
 * @param seed of all that is random
 * @param length at least; a run ends with a whole deck of its faults, each of them once
 * @param shortest time that a fault lasts
 * @param longest time that a fault lasts
 * @param shards number of shards, each with a replica
 * @param synchronous whether commits wait for the replica
 * @param faults those that can happen
 */
record Plan(
        long seed,
        Duration length,
        Duration shortest,
        Duration longest,
        int shards,
        boolean synchronous,
        List<Fault> faults) {

    Plan {
        faults = List.copyOf(faults);
    }

    /** Returns the short form: every fault once, but for some that take long and are like others. */
    static Plan brief(long seed) {
        EnumSet<Fault> faults =
                EnumSet.complementOf(EnumSet.of(Fault.RESTART, Fault.PROMOTE_AFTER_PAUSE, Fault.PROMOTE_BESIDE));
        return new Plan(
                seed, Duration.ZERO, Duration.ofMillis(200), Duration.ofMillis(600), 3, true, List.copyOf(faults));
    }

    /** Returns the long form. */
    static Plan full(long seed, Duration length) {
        return new Plan(seed, length, Duration.ofSeconds(1), Duration.ofSeconds(4), 3, true, List.of(Fault.values()));
    }

    Plan withFaults(Fault... chosen) {
        return new Plan(seed, length, shortest, longest, shards, synchronous, List.of(chosen));
    }

    Plan withLength(Duration atLeast) {
        return new Plan(seed, atLeast, shortest, longest, shards, synchronous, faults);
    }

    Plan asynchronous() {
        return new Plan(seed, length, shortest, longest, shards, false, faults);
    }
}
