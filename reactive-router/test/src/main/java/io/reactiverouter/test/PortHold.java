package io.reactiverouter.test;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a port of 127.0.0.1 while nothing listens on it: connections are refused, and the system gives it to nobody who asks
 * for any port. Not thread-safe.
 */
final class PortHold implements AutoCloseable {

    private final int port;
    private @Nullable SocketChannel socket;

    PortHold(int port) {
        this.port = port;
    }

    /** Takes the port and says whether it has it: not while something listens on it. */
    boolean hold() throws IOException {
        if (socket != null) {
            return true;
        }
        SocketChannel bound = SocketChannel.open();
        try {
            // Connections of the one that listened before may still be closing.
            bound.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            bound.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            socket = bound;
            return true;
        } catch (BindException e) {
            bound.close();
            return false;
        }
    }

    /** Gives the port up. */
    void release() throws IOException {
        SocketChannel held = socket;
        socket = null;
        if (held != null) {
            held.close();
        }
    }

    @Override
    public void close() throws IOException {
        release();
    }
}
