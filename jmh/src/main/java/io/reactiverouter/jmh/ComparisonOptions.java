package io.reactiverouter.jmh;

import java.nio.file.Path;
import joptsimple.OptionParser;
import joptsimple.OptionSet;
import joptsimple.OptionSpec;
import joptsimple.util.PathConverter;
import org.jspecify.annotations.Nullable;

/** How often a {@link Comparison} runs, and where its result goes. */
record ComparisonOptions(int rounds, int warmup, @Nullable Path results) {

    ComparisonOptions {
        if (rounds < 1) {
            throw new IllegalArgumentException("--rounds must be at least 1, was " + rounds);
        }
        if (warmup < 0) {
            throw new IllegalArgumentException("--warmup must not be negative, was " + warmup);
        }
    }

    static ComparisonOptions parse(String... arguments) {
        OptionParser parser = new OptionParser();
        parser.allowsUnrecognizedOptions();
        OptionSpec<Integer> rounds =
                parser.accepts("rounds").withRequiredArg().ofType(Integer.class).defaultsTo(100);
        OptionSpec<Integer> warmup =
                parser.accepts("warmup").withRequiredArg().ofType(Integer.class).defaultsTo(20);
        OptionSpec<Path> results =
                parser.accepts("results").withRequiredArg().withValuesConvertedBy(new PathConverter());
        OptionSet given = parser.parse(arguments);
        return new ComparisonOptions(given.valueOf(rounds), given.valueOf(warmup), given.valueOf(results));
    }
}
