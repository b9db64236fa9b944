package io.reactiverouter.jmh;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelOption;
import io.reactiverouter.jmh.HttpStreamingServer.Memory;
import io.reactiverouter.test.EmbeddedShards;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.http.client.HttpClient;
import reactor.netty.resources.ConnectionProvider;
import tools.jackson.databind.json.JsonMapper;

/**
 * How many rows a second does a WebFlux application stream over HTTP, and what does it hold meanwhile? A server in a JVM of its
 * own with 512 MB of heap merges two shards in order and sends NDJSON ({@link HttpStreamingServer}). One client reads a
 * million rows; or 200 clients read at the same time, of which 180 read ten thousand rows each as fast as they can and
 * twenty, who have asked for a million, take what comes in one read of a 4 kB buffer fifty times a second until the others are done. An operation is a
 * row, of the fast clients only. Every answer's rows are counted. Servers, shards and clients share the machine.
 *
 * <p>What the server holds is asked one second after the beginning of each batch: its heap after a collection, and the most
 * that Netty's buffers took beside it since the last time, looked at every 50 ms.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -cp jmh/target/benchmarks.jar io.reactiverouter.jmh.HttpStreaming --rounds 10 --warmup 3
 * }</pre>
 */
public final class HttpStreaming {

    private static final int SHARDS = 2;
    private static final int ROWS = 1_000_000;
    private static final int CLIENTS = 200;
    private static final int SLOW = 20;
    private static final int ROWS_OF_A_CLIENT = 10_000;
    private static final int SLOW_RECEIVE_BUFFER = 4_096;
    private static final Duration SLOW_PAUSE = Duration.ofMillis(20);
    private static final Duration MIDDLE = Duration.ofSeconds(1);
    private static final Duration REST = Duration.ofSeconds(10);
    private static final Duration LIMIT = Duration.ofMinutes(5);
    private static final JsonMapper JSON = new JsonMapper();
    private static final String ONE = "one client";
    private static final String MANY = CLIENTS + " clients";

    private final HttpClient client;
    private final List<Memory> ofOne = new ArrayList<>();
    private final List<Memory> ofMany = new ArrayList<>();

    private HttpStreaming(int port) {
        this.client = HttpClient.create(ConnectionProvider.builder("clients")
                        .maxConnections(2 * CLIENTS)
                        .build())
                .baseUrl("http://127.0.0.1:" + port);
    }

    /** Measures and prints; takes the options of {@link Comparison}. */
    public static void main(String... arguments) throws Exception {
        try (EmbeddedShards shards = EmbeddedShards.start(SHARDS)) {
            for (int i = 0; i < SHARDS; i++) {
                shards.node(i)
                        .execute("create table events as select n::bigint as id, md5(n::text) as note"
                                + " from generate_series(" + i + ", " + (ROWS - 1) + ", " + SHARDS + ") n");
                shards.node(i).execute("alter table events add primary key (id)");
                shards.node(i).execute("vacuum analyze events");
            }
            Process server = server(shards);
            try (BufferedReader output = server.inputReader(StandardCharsets.UTF_8)) {
                new HttpStreaming(Integer.parseInt(Objects.requireNonNull(output.readLine()))).measure(arguments);
            } finally {
                server.destroyForcibly().waitFor();
            }
        }
    }

    private static Process server(EmbeddedShards shards) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-cp",
                System.getProperty("java.class.path"),
                HttpStreamingServer.class.getName()));
        shards.nodes().forEach(node -> command.add(node.r2dbcUrl()));
        return new ProcessBuilder(command).redirectError(Redirect.INHERIT).start();
    }

    private void measure(String... arguments) throws Exception {
        memory();
        print("idle, before the first stream", List.of(memory()));
        Comparison.of("http-streaming", "How fast are rows streamed over HTTP? An operation is a row")
                .side(ONE, this::one)
                .side(MANY, this::many)
                .ratio(MANY, ONE)
                .run(arguments);
        print(ONE, ofOne);
        print(MANY, ofMany);
        Thread.sleep(REST.toMillis());
        System.out.println("connections that are still taken " + REST + " later: " + get("/acquired"));
    }

    private long one() throws Exception {
        return watched(rows(ROWS), ofOne);
    }

    private long many() throws Exception {
        Disposable slow = Flux.range(0, SLOW)
                .flatMap(i -> slowly(), SLOW)
                .subscribe(lines -> {}, error -> System.err.println("a slow client ended with " + error));
        try {
            Mono<Long> fast = Flux.range(0, CLIENTS - SLOW)
                    .flatMap(i -> rows(ROWS_OF_A_CLIENT), CLIENTS)
                    .reduce(0L, Long::sum);
            return watched(fast, ofMany);
        } finally {
            slow.dispose();
        }
    }

    private long watched(Mono<Long> rows, List<Memory> held) throws Exception {
        CompletableFuture<@Nullable Long> all = rows.toFuture();
        Thread.sleep(MIDDLE.toMillis());
        held.add(memory());
        return Objects.requireNonNull(all.get(LIMIT.toSeconds(), TimeUnit.SECONDS));
    }

    private static long required(long rows, long expected) {
        if (rows != expected) {
            throw new IllegalStateException("a stream had " + rows + " rows and not " + expected);
        }
        return rows;
    }

    private Mono<Long> rows(int below) {
        return client.get()
                .uri("/events?below=" + below)
                .responseContent()
                .map(HttpStreaming::lines)
                .reduce(0L, Long::sum)
                .map(rows -> required(rows, below));
    }

    private Flux<Long> slowly() {
        return client.option(ChannelOption.SO_RCVBUF, SLOW_RECEIVE_BUFFER)
                .get()
                .uri("/events?below=" + ROWS)
                .responseContent()
                .map(HttpStreaming::lines)
                .limitRate(1)
                .delayElements(SLOW_PAUSE);
    }

    private static long lines(ByteBuf buffer) {
        int[] lines = {0};
        buffer.forEachByte(each -> {
            if (each == '\n') {
                lines[0]++;
            }
            return true;
        });
        return lines[0];
    }

    private Memory memory() {
        return JSON.readValue(get("/memory"), Memory.class);
    }

    private String get(String path) {
        return Objects.requireNonNull(
                client.get().uri(path).responseContent().aggregate().asString().block(LIMIT));
    }

    private static void print(String when, List<Memory> held) {
        Quartiles heap =
                Quartiles.of(held.stream().map(memory -> memory.heap() / 1e6).toList());
        System.out.printf(
                Locale.ROOT,
                "%s: heap after a collection %.1f MB (%.1f to %.1f), buffers beside it at most %.1f MB%n",
                when,
                heap.median(),
                heap.lower(),
                heap.upper(),
                held.stream().mapToLong(Memory::direct).max().orElse(0) / 1e6);
    }
}
