package io.reactiverouter.aggregate;

/** The measures of spread that come from the same partial states. */
enum Deviation {
    VAR_POP(false, false),
    VAR_SAMP(true, false),
    STDDEV_POP(false, true),
    STDDEV_SAMP(true, true);

    private final boolean ofSample;
    private final boolean isRoot;

    Deviation(boolean ofSample, boolean isRoot) {
        this.ofSample = ofSample;
        this.isRoot = isRoot;
    }

    /** Whether the divisor is one less than the number of values. */
    boolean ofSample() {
        return ofSample;
    }

    /** Whether it is the root of the variance. */
    boolean isRoot() {
        return isRoot;
    }
}
