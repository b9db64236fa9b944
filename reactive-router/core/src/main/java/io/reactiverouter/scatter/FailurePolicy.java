package io.reactiverouter.scatter;

/** How many shards of a scatter-gather may fail; one more ends it with an error and stops the others. */
@FunctionalInterface
public interface FailurePolicy {

    /** The first failure ends the call with that error. The default. */
    FailurePolicy FAIL_FAST = shards -> 0;

    /**
     * A failing shard is left out; the rows of the others, and those that it had delivered, are the answer, and the manifest
     * says that some are missing. If all fail before the first row that is not a partial answer but none: an error.
     */
    FailurePolicy BEST_EFFORT = shards -> shards;

    /**
     * Returns the policy of {@link #BEST_EFFORT} for which at least {@code answers} shards must answer in full.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    static FailurePolicy quorum(int answers) {
        if (answers < 1) {
            throw new IllegalArgumentException("a quorum must be at least 1 shard, was " + answers);
        }
        return shards -> {
            if (answers > shards) {
                throw new IllegalArgumentException(
                        "a quorum of " + answers + " shards cannot be had from a call to " + shards);
            }
            return shards - answers;
        };
    }

    /**
     * Returns how many of {@code shards} may fail, at least 0. If all fail without a row it is an error, whatever this says.
     *
     * @throws IllegalArgumentException if the policy makes no sense for so few shards
     */
    int tolerated(int shards);
}
