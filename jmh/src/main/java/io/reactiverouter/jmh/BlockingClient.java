package io.reactiverouter.jmh;

import java.sql.SQLException;

/** A peer that blocks: as {@link AsyncClient}, on the caller's thread. */
interface BlockingClient extends AutoCloseable {

    long read(long account) throws SQLException;

    long write(long account, long balance) throws SQLException;

    long post(long account, long balance) throws SQLException;

    @Override
    void close() throws SQLException;
}
