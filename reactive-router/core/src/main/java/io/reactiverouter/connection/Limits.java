package io.reactiverouter.connection;

import java.time.Duration;

/** Checks of settings, with messages that name the setting, the rule and the value. */
public final class Limits {

    /** What is longer cannot be counted in nanoseconds. */
    private static final Duration LONGEST = Duration.ofDays(36_500);

    private Limits() {}

    /**
     * Checks a number.
     *
     * @throws IllegalArgumentException if it is less than {@code minimum}
     */
    public static void atLeast(String name, int minimum, int value) {
        if (value < minimum) {
            throw new IllegalArgumentException(name + " must be at least " + minimum + ", was " + value);
        }
    }

    /**
     * Checks a time.
     *
     * @throws IllegalArgumentException if it is zero or negative
     */
    public static void positive(String name, Duration value) {
        if (value.isZero() || value.isNegative()) {
            throw new IllegalArgumentException(name + " must be positive, was " + value);
        }
        countable(name, value);
    }

    /**
     * Checks a time.
     *
     * @throws IllegalArgumentException if it is negative
     */
    public static void notNegative(String name, Duration value) {
        if (value.isNegative()) {
            throw new IllegalArgumentException(name + " must not be negative, was " + value);
        }
        countable(name, value);
    }

    private static void countable(String name, Duration value) {
        if (value.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException(name + " must be at most " + LONGEST + ", was " + value);
        }
    }
}
