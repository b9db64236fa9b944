package io.reactiverouter.jmh;

import static io.reactiverouter.order.SortKey.asc;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetric;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import io.r2dbc.spi.Row;
import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.topology.Shard;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.http.MediaType;
import org.springframework.http.server.reactive.ReactorHttpHandlerAdapter;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.http.server.reactive.ServerHttpResponseDecorator;
import org.springframework.web.reactive.function.server.RouterFunctions;
import org.springframework.web.reactive.function.server.ServerRequest;
import org.springframework.web.reactive.function.server.ServerResponse;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.adapter.WebHttpHandlerBuilder;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerResponse;

/**
 * The server of {@link HttpStreaming}: WebFlux without Spring Boot, which streams the events of all shards in order as NDJSON.
 * Each stream takes a connection to each shard until its end.
 */
final class HttpStreamingServer {

    private static final int POOL = 220;
    private static final Duration ACQUIRE = Duration.ofSeconds(30);
    private static final Duration EVERY = Duration.ofMillis(50);

    /** Elements of a stream on their way from the loop of a shard to that of the client. */
    private static final int ON_THE_WAY = 32;

    private final ShardCluster cluster;
    private final AtomicLong mostDirect = new AtomicLong();

    private HttpStreamingServer(ShardCluster cluster) {
        this.cluster = cluster;
    }

    /** One row. */
    record Event(long id, String note) {}

    /**
     * What the server holds.
     *
     * @param heap bytes in use after a collection
     * @param direct the most bytes that Netty's buffers took outside of the heap since the last time
     */
    record Memory(long heap, long direct) {}

    /** Starts with the R2DBC URLs of the shards, prints its port, and ends when its standard input does. */
    public static void main(String... urls) throws IOException {
        ShardCluster.Builder builder = ShardCluster.builder()
                .pool(PoolSettings.DEFAULTS.withMaxSize(POOL).withAcquireTimeout(ACQUIRE));
        for (int i = 0; i < urls.length; i++) {
            builder.shard(Shard.named("s" + i).primary(urls[i]));
        }
        DisposableServer server = new HttpStreamingServer(builder.build()).start();
        System.out.println(server.port());
        while (System.in.read() >= 0) {
            // Until the end.
        }
        System.exit(0);
    }

    private DisposableServer start() {
        Flux.interval(EVERY)
                .onBackpressureDrop()
                .subscribe(
                        tick -> mostDirect.accumulateAndGet(direct(), Math::max),
                        error -> System.err.println("buffers are not watched any more: " + error));
        var routes = RouterFunctions.route()
                .GET("/events", this::events)
                .GET("/memory", request -> memory())
                .GET("/acquired", request -> ServerResponse.ok().bodyValue(acquired()))
                .build();
        return HttpServer.create()
                .host("127.0.0.1")
                .port(0)
                .handle(new ReactorHttpHandlerAdapter(
                        WebHttpHandlerBuilder.webHandler(RouterFunctions.toWebHandler(routes))
                                .filter(onClientLoop())
                                .build()))
                .bindNow();
    }

    private Mono<ServerResponse> events(ServerRequest request) {
        long below = Long.parseLong(request.queryParam("below").orElseThrow());
        Flux<Event> events = cluster.allShards()
                .orderBy(asc("id"))
                .query(Query.of("select id, note from events where id < $1", below), HttpStreamingServer::event);
        return ServerResponse.ok().contentType(MediaType.APPLICATION_NDJSON).body(events, Event.class);
    }

    private static Event event(Row row) {
        return new Event(
                Objects.requireNonNull(row.get(0, Long.class)), Objects.requireNonNull(row.get(1, String.class)));
    }

    private Mono<ServerResponse> memory() {
        return Mono.fromCallable(() -> {
                    System.gc();
                    return new Memory(
                            ManagementFactory.getMemoryMXBean()
                                    .getHeapMemoryUsage()
                                    .getUsed(),
                            mostDirect.getAndSet(0));
                })
                .subscribeOn(Schedulers.boundedElastic())
                .flatMap(memory -> ServerResponse.ok().bodyValue(memory));
    }

    private static long direct() {
        ByteBufAllocatorMetric metric = ((ByteBufAllocatorMetricProvider) ByteBufAllocator.DEFAULT).metric();
        return metric.usedDirectMemory();
    }

    private int acquired() {
        return cluster.shards().stream()
                .mapToInt(shard -> cluster.poolStatistics(shard.primary().id()).acquired())
                .sum();
    }

    /**
     * Rows come on the loops of the shards. Reactor Netty writes each with its flush as a {@code concat}, which can lose a
     * request that comes on another thread at that moment (seen in reactor-core 3.8.6), and the stream then stands still.
     */
    private static WebFilter onClientLoop() {
        return (exchange, chain) -> chain.filter(exchange.mutate()
                .response(new ServerHttpResponseDecorator(exchange.getResponse()) {
                    @Override
                    public Mono<Void> writeAndFlushWith(Publisher<? extends Publisher<? extends DataBuffer>> body) {
                        return super.writeAndFlushWith(Flux.<Publisher<? extends DataBuffer>>from(body)
                                .publishOn(Schedulers.fromExecutor(loop(getDelegate())), ON_THE_WAY));
                    }
                })
                .build());
    }

    private static Executor loop(ServerHttpResponse response) {
        HttpServerResponse client = ServerHttpResponseDecorator.getNativeResponse(response);
        AtomicReference<@Nullable Executor> loop = new AtomicReference<>();
        client.withConnection(connection -> loop.set(connection.channel().eventLoop()));
        return Objects.requireNonNull(loop.get());
    }
}
