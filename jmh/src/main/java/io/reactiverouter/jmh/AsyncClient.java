package io.reactiverouter.jmh;

/** A peer that does not block: each method starts an operation on one account. Thread-safe. */
interface AsyncClient extends AutoCloseable {

    /** Gives the balance. */
    void read(long account, Completion completion);

    /** Sets the balance and gives the number of rows. */
    void write(long account, long balance, Completion completion);

    /** Sets the balance and adds an entry in one transaction, and gives the number of rows of both. */
    void post(long account, long balance, Completion completion);

    @Override
    void close();
}
