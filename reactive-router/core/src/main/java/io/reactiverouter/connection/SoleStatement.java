package io.reactiverouter.connection;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.Statement;
import org.jspecify.annotations.Nullable;

/**
 * Statements for which a connection is taken from its pool, run, and given back: the router reads their answer to the end, or
 * leaves it to the driver to drop, and nobody else can send anything meanwhile. So nothing has to be guarded by a lease.
 */
public final class SoleStatement {

    private SoleStatement() {}

    /**
     * Returns a statement of the driver, null if the connection is not one that the router has taken from a pool. It must be all
     * that is sent on the connection until that is given back, and have parameters, none of which is a large object: others are
     * sent, or answered, in parts.
     */
    public static @Nullable Statement of(Connection connection, String sql) {
        return connection instanceof LeasedConnection leased ? leased.soleStatement(sql) : null;
    }
}
