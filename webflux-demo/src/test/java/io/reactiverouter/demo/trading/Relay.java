package io.reactiverouter.demo.trading;

import io.reactiverouter.test.ShardNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.NullUnmarked;

/** Stands between the application and a server, and counts the bytes that the server sends. */
@NullUnmarked
final class Relay implements AutoCloseable {

    private final ShardNode node;
    private final ServerSocket listener;
    private final AtomicLong sent = new AtomicLong();

    Relay(ShardNode node) throws IOException {
        this.node = node;
        this.listener = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
        start(this::accept);
    }

    String r2dbcUrl() {
        return node.r2dbcUrl().replace(":" + node.port() + "/", ":" + listener.getLocalPort() + "/");
    }

    long sent() {
        return sent.get();
    }

    private void accept() throws IOException {
        while (true) {
            Socket client = listener.accept();
            Socket server = new Socket(node.host(), node.port());
            // Small packets go on at once, as they do without a relay.
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
            start(() -> copy(client, server, new AtomicLong()));
            start(() -> copy(server, client, sent));
        }
    }

    private static void copy(Socket from, Socket to, AtomicLong count) throws IOException {
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            byte[] buffer = new byte[8192];
            for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
                out.write(buffer, 0, length);
                count.addAndGet(length);
            }
        }
    }

    /** What can be thrown when one side goes away. */
    private interface Work {
        void run() throws IOException;
    }

    private static void start(Work work) {
        Thread thread = new Thread(() -> {
            try {
                work.run();
            } catch (IOException e) {
                // A side has gone away; the other one notices.
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}
