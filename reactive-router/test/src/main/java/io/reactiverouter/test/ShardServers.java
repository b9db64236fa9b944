package io.reactiverouter.test;

import java.util.List;

/** Shards with replicas, and with servers that can be made to fail. Thread-safe. */
public interface ShardServers extends Shards {

    /**
     * Returns the servers of a shard, counted from 0: first the one that was primary at the start, and is in
     * {@link #nodes()}, then its replicas, named {@code s0-r1}, {@code s0-r2} and so on. A promotion changes no places.
     *
     * @throws IndexOutOfBoundsException if there is no such shard
     */
    List<ShardServer> servers(int shard);

    /**
     * Returns the server that was primary of a shard at the start.
     *
     * @throws IndexOutOfBoundsException if there is no such shard
     */
    default ShardServer server(int shard) {
        return server(shard, 0);
    }

    /**
     * Returns server number {@code index} of a shard: 0 is the one that was primary at the start, 1 its first replica.
     *
     * @throws IndexOutOfBoundsException if there is no such server
     */
    default ShardServer server(int shard, int index) {
        return servers(shard).get(index);
    }
}
