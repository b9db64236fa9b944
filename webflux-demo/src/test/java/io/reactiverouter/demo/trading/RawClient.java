package io.reactiverouter.demo.trading;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;

/** An HTTP client that is a plain socket with a small buffer, so that what it does not read stays in the server. */
@NullUnmarked
final class RawClient implements AutoCloseable {

    private static final int PREFIX = 12;

    private final Socket socket;
    private final BufferedReader reader;

    RawClient(int port, String path) throws IOException {
        socket = new Socket();
        socket.setReceiveBufferSize(16 * 1024);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        socket.setSoTimeout(40_000);
        socket.getOutputStream()
                .write(("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson,"
                                + " application/json\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII));
        reader = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8), 1024);
    }

    /** Returns the beginning of the answer. */
    String head() throws IOException {
        char[] head = new char[1024];
        int length = reader.read(head);
        return new String(head, 0, Math.max(0, length));
    }

    /** Reads so many rows, fewer at the end, and returns the beginning of each. */
    List<String> rows(int count) throws IOException {
        List<String> rows = new ArrayList<>();
        while (rows.size() < count) {
            String line = reader.readLine();
            if (line == null) {
                return rows;
            }
            if (line.startsWith("{")) {
                rows.add(line.substring(0, PREFIX));
            }
        }
        return rows;
    }

    /** Reads to the end that HTTP gives to a body, and returns the last line; null if the connection broke before. */
    String last() throws IOException {
        String last = null;
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            if (line.startsWith("{")) {
                last = line;
            } else if (line.equals("0")) {
                return last;
            }
        }
        return null;
    }

    /** Reads on and says whether the connection broke before the end of the body. */
    boolean isCutOff() {
        try {
            return last() == null;
        } catch (SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
