package io.reactiverouter.connection;

import java.time.Duration;

/** Checks of settings, with messages that name the setting, the rule and the value. */
public final class Limits {

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
    }
}
