package io.reactiverouter.demo.trading;

import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardsExtension;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Two hundred slow clients of the ordered stream at once, in an application that has less than 256 MB for all of them: its
 * heap, its direct buffers and what the kernel buffers for its clients are limited, and a limit that is reached fails the
 * test. Every client has a cursor on each of three shards, so the pools are larger here than the demo's own.
 */
@Tag("undisturbed")
@NullUnmarked
class SlowClientsIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3);

    private static final int CLIENTS = 200;
    private static final int ORDERS = 12_000;

    private static final int HEAP_MB = 196;
    private static final int DIRECT_MB = 32;
    /** Twice what the application sets for a socket: so much the kernel takes for it. */
    private static final int SENDING_MB = CLIENTS * 2 * 64 / 1024;

    /** Netty's own limit is set to none, so that its buffers come from the JVM and count there. */
    private static final List<String> LIMITS = List.of(
            "-Xmx" + HEAP_MB + "m",
            "-XX:MaxDirectMemorySize=" + DIRECT_MB + "m",
            "-Dio.netty.maxDirectMemory=0",
            "-XX:+UseSerialGC",
            "-Xmn32m",
            "-XX:+ExitOnOutOfMemoryError");

    @Test
    @Timeout(300)
    void twoHundredSlowClientsFitInto256Megabytes() throws Exception {
        assertThat(HEAP_MB + DIRECT_MB + SENDING_MB).isLessThan(256);
        List<RawClient> clients = new ArrayList<>();
        try (DemoProcess demo = new DemoProcess(LIMITS, arguments())) {
            int port = demo.port();
            long before = demo.liveHeap();
            String resident = demo.resident();
            Stopwatch first = new Stopwatch();
            open(clients, port);
            System.out.println(CLIENTS + " clients have their first rows after " + first.millis() + " ms");

            AtomicBoolean reading = new AtomicBoolean(true);
            CompletableFuture<Long> slowest = CompletableFuture.supplyAsync(() -> others(port, reading));
            // Each client reads a hundred rows a second at most.
            for (int round = 0; round < 20; round++) {
                for (RawClient client : clients) {
                    assertThat(client.rows(10)).hasSize(10);
                }
                LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
            }
            reading.set(false);
            long live = demo.liveHeap();
            System.out.printf(
                    "%d slow clients of a stream of %d orders: %d cursors, live heap %d MB before, %d MB with them, process"
                            + " %s before, %s with them; other requests were answered within %d ms%n",
                    CLIENTS,
                    ORDERS,
                    cursors(),
                    before >> 20,
                    live >> 20,
                    resident,
                    demo.resident(),
                    slowest.get(10, TimeUnit.SECONDS));
            assertThat(cursors()).isEqualTo(3 * CLIENTS);
            assertThat(clients.get(0).last()).contains("\"complete\":true", "\"rows\":" + ORDERS);

            leave(clients);
            Stopwatch left = new Stopwatch();
            while (cursors() > 0) {
                assertThat(left.millis())
                        .as("all clients have left, %s cursors remain", cursors())
                        .isLessThan(15_000);
            }
            System.out.println("all clients left: no cursor after " + left.millis() + " ms");
            try (RawClient next = new RawClient(port, "/api/orders/largest?limit=10")) {
                assertThat(next.last()).contains("\"complete\":true");
            }
            assertThat(demo.outOfMemory()).as("lines of the log about memory").isEmpty();
            assertThat(demo.isAlive()).isTrue();
        } finally {
            leave(clients);
        }
    }

    private record Stopwatch(long startNanos) {

        Stopwatch() {
            this(System.nanoTime());
        }

        long millis() {
            return Duration.ofNanos(System.nanoTime() - startNanos).toMillis();
        }
    }

    /** Opens all streams, some at a time: a server makes a process for each of its connections. */
    private static void open(List<RawClient> clients, int port) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<RawClient>> opened = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                opened.add(threads.submit(() -> {
                    RawClient client = new RawClient(port, "/api/orders/largest");
                    assertThat(client.rows(10)).hasSize(10);
                    return client;
                }));
            }
            for (Future<RawClient> client : opened) {
                clients.add(client.get());
            }
        } finally {
            threads.shutdownNow();
        }
    }

    /** Asks for other things as long as the slow clients read; returns the longest time, in milliseconds, to an answer. */
    private static long others(int port, AtomicBoolean reading) {
        long slowest = 0;
        int answers = 0;
        while (reading.get() || answers == 0) {
            for (String path : List.of("/api/orders/page?size=5", "/api/users/1/orders?limit=5", "/api/volume")) {
                Stopwatch asked = new Stopwatch();
                try (RawClient other = new RawClient(port, path)) {
                    assertThat(other.head()).as(path).startsWith("HTTP/1.1 200");
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
                slowest = Math.max(slowest, asked.millis());
                answers++;
            }
            LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
        }
        return slowest;
    }

    private static List<String> arguments() {
        List<String> arguments = new ArrayList<>(List.of(
                "--server.port=0",
                "--logging.level.io.reactiverouter.demo=info",
                "--demo.load.users=1000",
                "--demo.load.orders=" + ORDERS,
                "--demo.streams.max=" + CLIENTS,
                "--reactive-router.pool.max-size=" + (CLIENTS + 10),
                // 600 connections in a few seconds are a lot for a machine that runs the servers and the clients too.
                "--reactive-router.pool.acquire-timeout=30s",
                "--reactive-router.connection.connect-timeout=30s",
                "--reactive-router.connection.application-name=slow-clients"));
        for (ShardNode node : SHARDS.nodes()) {
            arguments.add("--reactive-router.shards." + node.name() + ".url=" + node.r2dbcUrl());
        }
        return arguments;
    }

    private static void leave(List<RawClient> clients) throws Exception {
        for (RawClient client : clients) {
            client.close();
        }
        clients.clear();
    }

    /** Returns how many connections of the application are not idle, over all shards. */
    private static long cursors() {
        return SHARDS.nodes().stream()
                .mapToLong(node -> node.number("select count(*) from pg_stat_activity"
                        + " where state <> 'idle' and application_name = 'slow-clients'"))
                .sum();
    }
}
