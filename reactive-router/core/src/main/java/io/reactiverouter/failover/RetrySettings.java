package io.reactiverouter.failover;

import io.reactiverouter.connection.Limits;
import java.time.Duration;

/**
 * How calls are run again, and how many of them may be. The budget keeps retries from making an overload worse: of the
 * calls of a cluster at most {@code percent} and {@code perSecond} more are run again, and when that is used up calls end with
 * their first error.
 *
 * @param backoff pause before the first retry of a call; each further one is twice as long, all of them give or take a half;
 *     20 ms by default
 * @param maxBackoff the longest pause; 1 s by default
 * @param percent how many retries a hundred calls permit; 10 by default
 * @param perSecond how many retries are permitted each second beside those; 10 by default
 */
public record RetrySettings(Duration backoff, Duration maxBackoff, int percent, int perSecond) {

    /** The documented defaults. */
    public static final RetrySettings DEFAULTS =
            new RetrySettings(Duration.ofMillis(20), Duration.ofSeconds(1), 10, 10);

    public RetrySettings {
        Limits.positive("retry backoff", backoff);
        Limits.positive("retry maxBackoff", maxBackoff);
        Limits.atLeast("retry percent", 0, percent);
        Limits.atLeast("retry perSecond", 0, perSecond);
        if (backoff.compareTo(maxBackoff) > 0) {
            throw new IllegalArgumentException(
                    "retry pauses must satisfy backoff <= maxBackoff, were " + backoff + " and " + maxBackoff);
        }
    }

    public RetrySettings withBackoff(Duration pause) {
        return new RetrySettings(pause, maxBackoff, percent, perSecond);
    }

    public RetrySettings withMaxBackoff(Duration pause) {
        return new RetrySettings(backoff, pause, percent, perSecond);
    }

    public RetrySettings withPercent(int retries) {
        return new RetrySettings(backoff, maxBackoff, retries, perSecond);
    }

    public RetrySettings withPerSecond(int retries) {
        return new RetrySettings(backoff, maxBackoff, percent, retries);
    }
}
