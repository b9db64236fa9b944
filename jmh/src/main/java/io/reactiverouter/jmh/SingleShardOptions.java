package io.reactiverouter.jmh;

import joptsimple.OptionParser;
import joptsimple.OptionSet;
import joptsimple.OptionSpec;

/**
 * How {@link SingleShard} loads its peers.
 *
 * @param inFlight {@code --in-flight}, operations of a closed loop for peers that do not block, and virtual threads; 64 by default
 * @param threads {@code --threads}, platform threads for peers that block; 16 by default
 * @param operations {@code --operations}, those of one batch of a closed loop
 * @param rate {@code --rate}, operations each second of an open loop, whose batches take a second; 0, the default, is a closed loop
 */
record SingleShardOptions(int inFlight, int threads, int operations, int rate) {

    SingleShardOptions {
        if (inFlight < 1 || threads < 1 || operations < 1) {
            throw new IllegalArgumentException("--in-flight, --threads and --operations must be at least 1, were "
                    + inFlight + ", " + threads + " and " + operations);
        }
        if (rate < 0) {
            throw new IllegalArgumentException("--rate must not be negative, was " + rate);
        }
    }

    static SingleShardOptions parse(int defaultOperations, String... arguments) {
        OptionParser parser = new OptionParser();
        parser.allowsUnrecognizedOptions();
        OptionSpec<Integer> inFlight = number(parser, "in-flight", 64);
        OptionSpec<Integer> threads = number(parser, "threads", 16);
        OptionSpec<Integer> operations = number(parser, "operations", defaultOperations);
        OptionSpec<Integer> rate = number(parser, "rate", 0);
        OptionSet given = parser.parse(arguments);
        return new SingleShardOptions(
                given.valueOf(inFlight), given.valueOf(threads), given.valueOf(operations), given.valueOf(rate));
    }

    private static OptionSpec<Integer> number(OptionParser parser, String option, int byDefault) {
        return parser.accepts(option).withRequiredArg().ofType(Integer.class).defaultsTo(byDefault);
    }

    boolean openLoop() {
        return rate > 0;
    }
}
