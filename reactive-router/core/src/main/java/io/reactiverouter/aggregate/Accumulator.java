package io.reactiverouter.aggregate;

import org.jspecify.annotations.Nullable;

/** The partial state of one aggregate in one group. Mutable; merging takes what it needs of the other and leaves it alone. */
interface Accumulator {

    /** Takes in the state of another shard; it is of the same class. */
    void merge(Accumulator other);

    /** Returns the value of the aggregate over all that was merged. */
    @Nullable Object result();
}
