package io.reactiverouter.jmh;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** All peers that do the same work on one shard, each with pools of its own. */
final class SingleShardPeers implements AutoCloseable {

    static final String ROUTED = "routed";

    private final List<Named> peers = new ArrayList<>();

    /** A peer and what it is called. */
    record Named(String name, Peer peer) {}

    private SingleShardPeers() {}

    /** Connects those that can do the operation. */
    static SingleShardPeers open(Accounts accounts, Operation operation, SingleShardOptions options)
            throws SQLException {
        SingleShardPeers all = new SingleShardPeers();
        int inFlight = options.inFlight();
        all.add("r2dbc-pool by hand", new AsyncPeer(R2dbcClient.byHand(accounts), inFlight));
        all.add(ROUTED, new AsyncPeer(new RouterClient(accounts), inFlight));
        // A cluster of its own: what differs is the noise.
        all.add(ROUTED, new AsyncPeer(new RouterClient(accounts), inFlight));
        all.add("AbstractRoutingConnectionFactory", new AsyncPeer(R2dbcClient.springRouting(accounts), inFlight));
        all.add("vertx-pg-client pooled", new AsyncPeer(VertxClient.pooled(accounts), inFlight));
        if (operation != Operation.POST) {
            all.add("vertx-pg-client pipelined", new AsyncPeer(VertxClient.pipelined(accounts), inFlight));
        }
        int threads = options.threads();
        all.add("pgjdbc, HikariCP", BlockingPeer.ofPlatformThreads(JdbcClient.byHand(accounts), threads));
        all.add("ShardingSphere-JDBC", BlockingPeer.ofPlatformThreads(JdbcClient.shardingSphere(accounts), threads));
        if (VirtualThreads.available()) {
            all.add(
                    "ShardingSphere-JDBC, virtual threads",
                    new BlockingPeer(JdbcClient.shardingSphere(accounts), VirtualThreads.executor(), inFlight));
        }
        return all;
    }

    private void add(String name, Peer peer) {
        peers.add(new Named(name, peer));
    }

    List<Named> all() {
        return List.copyOf(peers);
    }

    @Override
    public void close() throws SQLException {
        for (Named named : peers) {
            named.peer().close();
        }
    }
}
