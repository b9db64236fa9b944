package io.reactiverouter.reliability;

/** What must not be. */
enum Violation {
    /** An acknowledged write is not there. */
    LOST,
    /** A write is there more than once. */
    DONE_TWICE,
    /** A write is there of which its caller was told that it has no effect, or that nobody made. */
    NOT_WANTED,
    /** A call was shown rows of another key. */
    ROWS_OF_OTHERS,
    /** A call was shown too few rows, too many, or half of a transaction. */
    WRONG_ANSWER,
    /** A call has not ended. */
    HUNG,
    /** A call has ended more than a second after its time limit. */
    LATE,
    /** A call has failed with an error that none of the library's documents. */
    STRANGE_ERROR,
    /** Balances do not follow from the ledger, or counters from the increments. */
    BOOKS_DO_NOT_BALANCE,
    /** A shard does not answer when its servers do. */
    NOT_RECOVERED,
    /** Connections or transactions are left over. */
    POOL_NOT_AT_REST
}
