package io.reactiverouter.jmh;

import java.sql.SQLException;

/** Runs batches over one client. */
interface Peer extends AutoCloseable {

    /** Begins with as many operations as are to be in flight; each that ends makes room for the next. */
    void closedLoop(Run run);

    /** Starts one operation of an open loop, and does not wait for it. */
    void start(Run run, int index, long intendedStart);

    @Override
    void close() throws SQLException;
}
