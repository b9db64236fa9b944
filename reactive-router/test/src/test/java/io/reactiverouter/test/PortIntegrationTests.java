package io.reactiverouter.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.junit.jupiter.api.parallel.ExecutionMode.CONCURRENT;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;

class PortIntegrationTests {

    private final Path temporary;

    PortIntegrationTests(@TempDir Path temporary) {
        this.temporary = temporary;
    }

    @Test
    @Execution(CONCURRENT)
    void portsTakenByOthersAreLeftToThem() throws Exception {
        try (ServerSocket program = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                EmbeddedShards shards = EmbeddedShards.start(1)) {
            Iterator<Integer> ports = List.of(
                            program.getLocalPort(), shards.node(0).port(), freePort())
                    .iterator();
            try (EmbeddedServer server = EmbeddedServer.start("x", ServerSpec.DEFAULTS, temporary, ports::next)) {
                assertThat(ports).isExhausted();
                assertThat(server.node().port()).isNotEqualTo(program.getLocalPort());
                try (var connection = server.node().withDatabase("postgres").openSuperuserJdbc()) {
                    assertThat(connection.isValid(1)).isTrue();
                }
            }
            assertThat(ChildJvm.servers(temporary)).isEmpty();
        }
    }

    @Test
    @Execution(CONCURRENT)
    void noFreePortIsAnErrorThatNamesTheShard() throws Exception {
        try (ServerSocket program = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            assertThatIllegalStateException()
                    .isThrownBy(() -> EmbeddedServer.start("x", ServerSpec.DEFAULTS, temporary, program::getLocalPort))
                    .withMessageContaining("shard x did not start")
                    .withMessageContaining("ports");
        }
    }

    @Test
    @Execution(CONCURRENT)
    void manyClustersCanStartAtOnce() {
        List<EmbeddedShards> all = Collections.synchronizedList(new ArrayList<>());
        try {
            Parallel.forEach(List.of(1, 2, 3, 4), i -> all.add(EmbeddedShards.start(2)));
            assertThat(all.stream().flatMap(shards -> shards.nodes().stream()).map(ShardNode::port))
                    .hasSize(8)
                    .doesNotHaveDuplicates();
        } finally {
            all.forEach(EmbeddedShards::close);
        }
    }

    @Test
    @Execution(CONCURRENT)
    void serversListenOnNoOtherAddress() throws IOException {
        try (EmbeddedShards shards = EmbeddedShards.start(1)) {
            int port = shards.node(0).port();
            List<InetAddress> others = NetworkInterface.networkInterfaces()
                    .flatMap(NetworkInterface::inetAddresses)
                    .filter(address -> !address.isLoopbackAddress())
                    .toList();
            for (InetAddress address : others) {
                assertThatExceptionOfType(ConnectException.class)
                        .as(address.toString())
                        .isThrownBy(() -> connect(address, port));
            }
            connect(InetAddress.getLoopbackAddress(), port);
        }
    }

    private static void connect(InetAddress address, int port) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(address, port), 1000);
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
