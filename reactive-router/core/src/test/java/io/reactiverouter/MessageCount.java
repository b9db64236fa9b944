package io.reactiverouter;

import io.reactiverouter.test.ShardNode;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.NullUnmarked;

/** Stands between clients and one server, and counts the clients' messages by their type in PostgreSQL's protocol. No TLS. */
@NullUnmarked
final class MessageCount implements AutoCloseable {

    /** To prepare a statement. */
    static final char PARSE = 'P';

    private static final char SIMPLE_QUERY = 'Q';
    private static final char SYNC = 'S';
    private static final char FLUSH = 'H';

    private static final int TLS_REQUEST = 80_877_103;
    private static final int LENGTH = 4;

    private final ShardNode node;
    private final ServerSocket listening;
    private final Collection<Socket> sockets = new ConcurrentLinkedQueue<>();
    private final AtomicLongArray messages = new AtomicLongArray(128);

    MessageCount(ShardNode node) {
        this.node = node;
        try {
            this.listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        begin(this::accept);
    }

    /** Returns the address of the server behind this. */
    String r2dbcUrl() {
        return node.r2dbcUrl()
                .replace(
                        "@" + node.host() + ":" + node.port() + "/",
                        "@" + listening.getInetAddress().getHostAddress() + ":" + listening.getLocalPort() + "/");
    }

    long count(char type) {
        return messages.get(type);
    }

    /** Returns how often clients have asked for an answer. */
    long roundTrips() {
        return count(SYNC) + count(FLUSH) + count(SIMPLE_QUERY);
    }

    void forget() {
        for (int i = 0; i < messages.length(); i++) {
            messages.set(i, 0);
        }
    }

    private void accept() throws IOException {
        while (true) {
            Socket client = open(listening.accept());
            Socket server = open(new Socket(node.host(), node.port()));
            begin(() -> copy(server.getInputStream(), client.getOutputStream()));
            begin(() -> count(new DataInputStream(client.getInputStream()), server.getOutputStream()));
        }
    }

    private Socket open(Socket socket) throws IOException {
        socket.setTcpNoDelay(true);
        sockets.add(socket);
        return socket;
    }

    private static void copy(InputStream from, OutputStream to) throws IOException {
        byte[] buffer = new byte[8_192];
        for (int read = from.read(buffer); read >= 0; read = from.read(buffer)) {
            to.write(buffer, 0, read);
        }
    }

    private void count(DataInputStream from, OutputStream to) throws IOException {
        int request;
        do {
            request = forward(from, to, 0).getInt(1 + LENGTH);
        } while (request == TLS_REQUEST);
        while (true) {
            int type = from.readUnsignedByte();
            messages.incrementAndGet(type);
            forward(from, to, type);
        }
    }

    /** Passes on a message: its type, 0 for none, its length and its body. */
    private static ByteBuffer forward(DataInputStream from, OutputStream to, int type) throws IOException {
        int length = from.readInt();
        ByteBuffer message = ByteBuffer.allocate(1 + length).put((byte) type).putInt(length);
        from.readFully(message.array(), message.position(), message.remaining());
        int start = type == 0 ? 1 : 0;
        to.write(message.array(), start, message.capacity() - start);
        return message;
    }

    /** Ends with its sockets. */
    private static void begin(Work work) {
        Thread thread = new Thread(
                () -> {
                    try {
                        work.run();
                    } catch (IOException e) {
                        // One of the two ends has been closed, and the other hears of it when this is.
                    }
                },
                "message-count");
        thread.setDaemon(true);
        thread.start();
    }

    @FunctionalInterface
    private interface Work {

        void run() throws IOException;
    }

    @Override
    public void close() {
        try {
            listening.close();
            for (Socket socket : sockets) {
                socket.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
