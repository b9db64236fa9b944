package io.reactiverouter.scatter;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * How many shards a query asks at the same time: no more than help. Shards may share a server, a disk or a network, and a
 * slow reader needs no parallel writers; then fewer statements at the same time end as early, and leave connections and
 * memory to others.
 *
 * <p>Every query begins at its bound. One of {@value #TRIAL_EVERY} calls tries half as many, or twice as many once it has
 * come down; what does as well (or clearly better, for more) {@value #WINS} times more often than not becomes the rule. So
 * a query whose shards are independent stays at the bound, and not even its 99th percentile pays for the trials.
 *
 * <p>Thread-safe, without locks.
 */
final class Parallelism {

    static final int TRIAL_EVERY = 128;
    static final int WINS = 3;

    private static final int MAX_QUERIES = 1_024;
    private static final double AS_GOOD = 1.1;
    private static final double CLEARLY_BETTER = 0.9;
    private static final int MEMORY = 16;

    private final Cache<Key, Level> levels =
            Caffeine.newBuilder().maximumSize(MAX_QUERIES).build();

    private record Key(String sql, int shards, int bound) {}

    /** Returns how the next call of a query runs. */
    Run next(String sql, int shards, int bound) {
        int most = Math.min(shards, bound);
        if (most == 1) {
            return new Run(null, 1, 1);
        }
        return levels.get(new Key(sql, shards, most), key -> new Level(key.bound))
                .next();
    }

    /** One call. */
    static final class Run {

        private final @Nullable Level level;
        private final int width;
        private final int rule;

        private Run(@Nullable Level level, int width, int rule) {
            this.level = level;
            this.width = width;
            this.rule = rule;
        }

        /** Returns how many shards to ask at the same time. */
        int width() {
            return width;
        }

        /** Tells how long it took until all shards had done their work; not to be called if one failed. */
        void took(long nanos) {
            if (level != null) {
                level.learn(this, nanos);
            }
        }
    }

    /** What is known of one query. */
    private static final class Level {

        private final int bound;
        private final AtomicInteger calls = new AtomicInteger();

        /** Updates of calls that end at the same moment may be lost. */
        private volatile Rule rule;

        Level(int bound) {
            this.bound = bound;
            this.rule = new Rule(bound, 0, 0, 0);
        }

        Run next() {
            int width = rule.width;
            int call = calls.incrementAndGet();
            if (call % TRIAL_EVERY != 0) {
                return new Run(this, width, width);
            }
            boolean more = width == 1 || (width < bound && call / TRIAL_EVERY % 2 == 0);
            return new Run(this, more ? Math.min(bound, 2 * width) : (width + 1) / 2, width);
        }

        void learn(Run run, long nanos) {
            rule = rule.after(run, nanos);
        }
    }

    /**
     * The rule for now.
     *
     * @param width shards asked at the same time
     * @param usual nanoseconds that calls take of late, 0 if unknown
     * @param fewer trials with fewer that did as well, less those that did not
     * @param more trials with more that did clearly better, less those that did not
     */
    private record Rule(int width, double usual, int fewer, int more) {

        Rule after(Run run, long nanos) {
            if (run.rule != width) {
                // The rule has changed since it began.
                return this;
            }
            if (run.width == width) {
                return new Rule(width, usual == 0 ? nanos : usual + (nanos - usual) / MEMORY, fewer, more);
            }
            if (usual == 0) {
                return this;
            }
            if (run.width < width) {
                int wins = nanos <= AS_GOOD * usual ? fewer + 1 : Math.max(0, fewer - 1);
                return wins == WINS ? new Rule(run.width, nanos, 0, 0) : new Rule(width, usual, wins, more);
            }
            int wins = nanos < CLEARLY_BETTER * usual ? more + 1 : Math.max(0, more - 1);
            return wins == WINS ? new Rule(run.width, nanos, 0, 0) : new Rule(width, usual, fewer, wins);
        }
    }
}
