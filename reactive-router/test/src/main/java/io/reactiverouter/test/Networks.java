package io.reactiverouter.test;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The networks of one set of shards, on one thread. */
final class Networks implements AutoCloseable {

    private static final int STOP_SECONDS = 10;

    private final EventLoopGroup loop = new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("shard-network", true), NioIoHandler.newFactory());

    /** Opens a network before the server at a port; none where there are no networks. */
    static @Nullable Network open(@Nullable Networks networks, int port) {
        return networks == null ? null : new Network(networks.loop.next(), port);
    }

    @Override
    public void close() {
        loop.shutdownGracefully(0, STOP_SECONDS, TimeUnit.SECONDS).awaitUninterruptibly(STOP_SECONDS, TimeUnit.SECONDS);
    }
}
