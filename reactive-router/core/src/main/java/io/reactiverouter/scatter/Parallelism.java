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
 * come down. What has been tried becomes the rule as soon as the trials say, in spite of their spread, that it does as well,
 * or clearly better in the case of more. A call that fails, or is given up although it has taken longer than usual, may be
 * one that the rule has made too slow: it takes the query back to its bound.
 *
 * <p>Thread-safe, without locks.
 */
final class Parallelism {

    static final int TRIAL_EVERY = 128;

    private static final int MAX_QUERIES = 1_024;

    /** Logarithms, as are all times here: so rare long calls weigh less. */
    private static final double AS_GOOD = Math.log(1.1);

    private static final double CLEARLY_BETTER = Math.log(0.9);

    /** Calls of which the usual time is a moving average. */
    private static final int MEMORY = 32;

    private static final int LEAST_TRIALS = 3;

    private final Cache<Key, Level> levels =
            Caffeine.newBuilder().maximumSize(MAX_QUERIES).build();

    private record Key(String sql, int shards, int bound) {}

    /** Returns how the next call of a query runs. */
    Run next(String sql, int shards, int bound) {
        int most = Math.min(shards, bound);
        if (most <= 1) {
            return new Run(null, 1, 1);
        }
        return levels.get(new Key(sql, shards, most), key -> new Level(key.bound))
                .next();
    }

    private static double time(long nanos) {
        return Math.log((double) Math.max(1, nanos));
    }

    /** One call. */
    static final class Run {

        private final @Nullable Level level;
        private final int width;
        private final int rule;
        private volatile boolean told;

        private Run(@Nullable Level level, int width, int rule) {
            this.level = level;
            this.width = width;
            this.rule = rule;
        }

        /** Returns how many shards to ask at the same time. */
        int width() {
            return width;
        }

        /** Tells how long it took until all shards had done their work. */
        void took(long nanos) {
            told = true;
            if (level != null) {
                level.learn(this, time(nanos));
            }
        }

        /** Tells that a shard failed, so that there is no such time. */
        void failed() {
            if (level != null) {
                level.doubt(this);
            }
        }

        /** Tells that the caller has given up after this time, if there is nothing else to tell. */
        void cancelled(long nanos) {
            if (level != null && !told && level.isUnusual(nanos)) {
                level.doubt(this);
            }
        }
    }

    /** What is known of one query. Updates of calls that end at the same moment may be lost. */
    private static final class Level {

        private final int bound;
        private final AtomicInteger calls = new AtomicInteger();
        private volatile Rule rule;

        Level(int bound) {
            this.bound = bound;
            this.rule = Rule.of(bound);
        }

        Run next() {
            int width = rule.width;
            // Evenly, but in no rhythm that calls could have too.
            int draw = calls.incrementAndGet() * 0x9E3779B9;
            if (Integer.remainderUnsigned(draw >>> 8, TRIAL_EVERY) != 0) {
                return new Run(this, width, width);
            }
            boolean more = width == 1 || (width < bound && draw < 0);
            return new Run(this, more ? Math.min(bound, 2 * width) : (width + 1) / 2, width);
        }

        void learn(Run run, double time) {
            // Otherwise it began under another rule.
            if (run.rule == rule.width) {
                rule = rule.after(run.width, time);
            }
        }

        void doubt(Run run) {
            if (run.rule == rule.width && run.rule < bound) {
                rule = Rule.of(bound);
            }
        }

        boolean isUnusual(long nanos) {
            return rule.calls > 0 && time(nanos) > rule.usual;
        }
    }

    /**
     * The rule for now.
     *
     * @param width shards asked at the same time
     * @param calls calls that the next two are an average of, at most {@link #MEMORY}
     * @param usual the mean time of calls
     * @param variance how far their times spread
     */
    private record Rule(int width, int calls, double usual, double variance, Trials fewer, Trials more) {

        static Rule of(int width) {
            return new Rule(width, 0, 0, 0, Trials.NONE, Trials.NONE);
        }

        Rule after(int tried, double time) {
            if (tried == width) {
                int weight = Math.min(calls + 1, MEMORY);
                double difference = time - usual;
                double mean = usual + difference / weight;
                return new Rule(
                        width, weight, mean, variance + (difference * (time - mean) - variance) / weight, fewer, more);
            }
            if (calls < MEMORY) {
                return this;
            }
            boolean isFewer = tried < width;
            double limit = isFewer ? AS_GOOD : CLEARLY_BETTER;
            Trials trials = (isFewer ? fewer : more).and(time - usual);
            double doubt = trials.doubt(variance);
            if (trials.mean() + doubt < limit) {
                return of(tried);
            }
            Trials next = trials.mean() - doubt > limit ? Trials.NONE : trials;
            return new Rule(width, calls, usual, variance, isFewer ? next : fewer, isFewer ? more : next);
        }
    }

    /** By how much trials have taken longer than usual, in all. */
    private record Trials(int count, double sum) {

        static final Trials NONE = new Trials(0, 0);

        Trials and(double difference) {
            return new Trials(count + 1, sum + difference);
        }

        double mean() {
            return sum / count;
        }

        /** Returns how far the mean may be from the truth: two standard errors. */
        double doubt(double variance) {
            return count < LEAST_TRIALS ? Double.MAX_VALUE : 2 * Math.sqrt(variance / count);
        }
    }
}
