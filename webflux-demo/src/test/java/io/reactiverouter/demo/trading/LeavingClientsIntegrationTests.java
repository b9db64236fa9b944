package io.reactiverouter.demo.trading;

import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardsExtension;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Clients that leave in the middle of a stream, and an application in which Netty watches every buffer. */
@NullUnmarked
class LeavingClientsIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3);

    private static final int CLIENTS = 12;

    @Test
    @Timeout(120)
    void noBufferIsForgotten() throws Exception {
        try (DemoProcess demo = new DemoProcess(List.of("-Dio.netty.leakDetection.level=PARANOID"), arguments())) {
            int port = demo.port();
            for (String path : List.of("/api/orders/largest", "/api/orders/stream")) {
                for (int i = 0; i < CLIENTS; i++) {
                    try (RawClient client = new RawClient(port, path)) {
                        assertThat(client.rows(1 + 25 * i)).isNotEmpty();
                    }
                }
                // The next buffers tell of those that were collected here.
                demo.liveHeap();
                try (RawClient client = new RawClient(port, path + "?symbol=ACME")) {
                    assertThat(client.last()).contains("\"complete\":true");
                }
            }
            assertThat(demo.leaks()).isEmpty();
        }
    }

    private static List<String> arguments() {
        List<String> arguments = new ArrayList<>(List.of(
                "--server.port=0",
                "--logging.level.io.reactiverouter.demo=info",
                "--demo.load.users=1000",
                "--demo.load.orders=15000"));
        for (ShardNode node : SHARDS.nodes()) {
            arguments.add("--reactive-router.shards." + node.name() + ".url=" + node.r2dbcUrl());
        }
        return arguments;
    }
}
