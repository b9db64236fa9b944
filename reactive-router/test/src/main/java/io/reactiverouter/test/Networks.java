package io.reactiverouter.test;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The networks of one set of shards, on one thread. */
final class Networks implements AutoCloseable {

    private static final int STOP_SECONDS = 10;

    private final EventLoopGroup loop = new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("shard-network", true), NioIoHandler.newFactory());

    /** Opens a network before a server; none where there are no networks. */
    static @Nullable Network open(@Nullable Networks networks, ShardNode server) {
        return networks == null ? null : networks.before(server);
    }

    /** Opens a network before a server. */
    Network before(ShardNode server) {
        return new Network(loop.next(), new InetSocketAddress(server.host(), server.port()));
    }

    @Override
    public void close() {
        loop.shutdownGracefully(0, STOP_SECONDS, TimeUnit.SECONDS).awaitUninterruptibly(STOP_SECONDS, TimeUnit.SECONDS);
    }
}
