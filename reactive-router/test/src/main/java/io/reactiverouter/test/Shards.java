package io.reactiverouter.test;

import java.util.List;

/**
 * Running PostgreSQL 18 servers, one for each shard, named {@code s0}, {@code s1} and so on. Thread-safe.
 *
 * <p>All methods of this package block: call them from tests and start-up code, never on an event loop.
 */
public interface Shards extends AutoCloseable {

    /** Returns the servers in order. */
    List<ShardNode> nodes();

    /**
     * Returns server number {@code index}, from 0.
     *
     * @throws IndexOutOfBoundsException if there is no such server
     */
    default ShardNode node(int index) {
        return nodes().get(index);
    }

    /** Returns how many servers there are. */
    default int size() {
        return nodes().size();
    }

    /** Stops the servers and deletes their data. Closing again does nothing. */
    @Override
    void close();
}
