package io.reactiverouter.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Every byte, before a server that does what the test wants. */
class NetworkTests {

    private static final int LIMIT_MILLIS = 20_000;

    private final MultiThreadIoEventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final ServerSocket server;
    private final Network network;

    NetworkTests() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        server.setSoTimeout(LIMIT_MILLIS);
        network = new Network(loop.next(), new InetSocketAddress(server.getInetAddress(), server.getLocalPort()));
    }

    @AfterEach
    void close() throws IOException {
        network.close();
        server.close();
        loop.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly(LIMIT_MILLIS);
    }

    @Test
    void bytesArriveInOrderHoweverLate() throws Exception {
        network.latency(Duration.ofMillis(1));
        network.jitter(Duration.ofMillis(5));
        network.bandwidth(2_000_000);
        byte[] sent = random(500_000);
        try (Socket client = client();
                Socket accepted = server.accept()) {
            CompletableFuture<Void> echo = async(() ->
                    accepted.getOutputStream().write(accepted.getInputStream().readNBytes(sent.length)));
            client.getOutputStream().write(sent);
            assertThat(client.getInputStream().readNBytes(sent.length)).isEqualTo(sent);
            echo.join();
        }
    }

    @Test
    void resetComesAfterExactlySoManyBytes() throws Exception {
        network.resetAfter(12_345);
        try (Socket client = client();
                Socket accepted = server.accept()) {
            CompletableFuture<Void> sending =
                    async(() -> accepted.getOutputStream().write(new byte[40_000]));
            assertThat(client.getInputStream().readNBytes(12_345)).hasSize(12_345);
            assertThatExceptionOfType(SocketException.class)
                    .isThrownBy(() -> client.getInputStream().read())
                    .withMessageContaining("reset");
            sending.join();
            assertThatExceptionOfType(SocketException.class)
                    .as("the server's end")
                    .isThrownBy(() -> accepted.getInputStream().read())
                    .withMessageContaining("reset");
        }
    }

    @Test
    void endComesAfterAllBytes() throws Exception {
        byte[] sent = random(3_000_000);
        network.latency(Duration.ofMillis(20));
        try (Socket client = client()) {
            CompletableFuture<Void> sending = async(() -> {
                try (Socket accepted = server.accept()) {
                    accepted.getOutputStream().write(sent);
                }
            });
            Thread.sleep(300);
            assertThat(client.getInputStream().readAllBytes()).isEqualTo(sent);
            sending.join();
        }
    }

    @Test
    void clientThatDoesNotReadStopsTheServer() throws Exception {
        try (Socket client = client();
                Socket accepted = server.accept()) {
            CompletableFuture<Void> sending =
                    async(() -> accepted.getOutputStream().write(new byte[64 << 20]));
            Thread.sleep(1000);
            assertThat(sending).isNotDone();
            assertThat(client.getInputStream().readNBytes(64 << 20)).hasSize(64 << 20);
            sending.join();
        }
    }

    @Test
    void refusedClientsFindTheNetworkAtItsPortAgain() throws Exception {
        network.refuse();
        network.refuse();
        assertThatExceptionOfType(ConnectException.class).isThrownBy(() -> client().close());
        network.heal();
        try (Socket client = client();
                Socket accepted = server.accept()) {
            assertThat(client.isConnected() && accepted.isConnected()).isTrue();
        }
    }

    @Test
    void healingEndsDelaysOfWhatIsOnItsWayToo() throws Exception {
        network.latency(Duration.ofMinutes(30));
        network.bandwidth(10);
        try (Socket client = client();
                Socket accepted = server.accept()) {
            client.getOutputStream().write(random(10_000));
            Thread.sleep(200);
            network.heal();
            accepted.setSoTimeout(LIMIT_MILLIS);
            assertThat(accepted.getInputStream().readNBytes(10_000)).isEqualTo(random(10_000));
            client.getOutputStream().write(1);
            assertThat(accepted.getInputStream().read()).isEqualTo(1);
        }
    }

    @Test
    void healingResetsNothing() throws Exception {
        try (Socket client = client();
                Socket accepted = server.accept()) {
            network.halfOpen();
            network.resetAfter(10);
            accepted.getOutputStream().write(new byte[100]);
            Thread.sleep(200);
            network.heal();
            assertThat(client.getInputStream().readNBytes(100)).hasSize(100);
        }
    }

    @Test
    void cutHoldsResetsBackToo() throws Exception {
        Socket client = client();
        try (Socket accepted = server.accept()) {
            accepted.setSoTimeout(500);
            network.cut();
            client.setSoLinger(true, 0);
            client.close();
            assertThatExceptionOfType(java.net.SocketTimeoutException.class)
                    .isThrownBy(() -> accepted.getInputStream().read());
            network.heal();
            accepted.setSoTimeout(LIMIT_MILLIS);
            assertThatExceptionOfType(SocketException.class)
                    .isThrownBy(() -> accepted.getInputStream().read())
                    .withMessageContaining("reset");
        }
    }

    @Test
    void networkCannotBeChangedOnItsOwnLoopNorWhenItIsClosed() throws Exception {
        CompletableFuture<Void> onLoop = CompletableFuture.runAsync(network::cut, loop.next());
        assertThatExceptionOfType(CompletionException.class)
                .isThrownBy(onLoop::join)
                .withMessageContaining("must not be used on its event loop");
        try (Socket client = client();
                Socket accepted = server.accept()) {
            client.getOutputStream().write(1);
            assertThat(accepted.getInputStream().read()).as("not cut").isEqualTo(1);
        }
        network.close();
        assertThatIllegalStateException().isThrownBy(network::heal).withMessageContaining("is closed");
    }

    private Socket client() throws IOException {
        Socket socket = new Socket();
        socket.setSoTimeout(LIMIT_MILLIS);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), network.port()), LIMIT_MILLIS);
        return socket;
    }

    private static byte[] random(int size) {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        return bytes;
    }

    private interface Io {

        void run() throws IOException;
    }

    private static CompletableFuture<Void> async(Io io) {
        return CompletableFuture.runAsync(() -> {
            try {
                io.run();
            } catch (IOException e) {
                throw new CompletionException(e);
            }
        });
    }
}
