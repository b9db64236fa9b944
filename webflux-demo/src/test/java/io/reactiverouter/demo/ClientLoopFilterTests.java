package io.reactiverouter.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DefaultDataBufferFactory;
import org.springframework.http.server.reactive.ReactorHttpHandlerAdapter;
import org.springframework.web.server.adapter.WebHttpHandlerBuilder;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.netty.DisposableServer;
import reactor.netty.http.client.HttpClient;
import reactor.netty.http.server.HttpServer;
import reactor.netty.resources.LoopResources;

@NullUnmarked
class ClientLoopFilterTests {

    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final int ROWS = 20_000;

    @Test
    void elementsOfAStreamAreWrittenWhereTheirClientIs() {
        Set<String> threads = ConcurrentHashMap.newKeySet();
        Scheduler database = Schedulers.newSingle("database");
        LoopResources loops = LoopResources.create("clients", 1, true);
        DisposableServer server = HttpServer.create()
                .port(0)
                .runOn(loops)
                .handle(new ReactorHttpHandlerAdapter(WebHttpHandlerBuilder.webHandler(
                                exchange -> exchange.getResponse().writeAndFlushWith(rows(database, threads)))
                        .filter(new ClientLoopFilter())
                        .build()))
                .bindNow(LIMIT);
        try {
            String answer = HttpClient.create()
                    .get()
                    .uri("http://127.0.0.1:" + server.port())
                    .responseContent()
                    .aggregate()
                    .asString()
                    .block(LIMIT);
            assertThat(answer.lines()).hasSize(ROWS).startsWith("0", "1").endsWith(String.valueOf(ROWS - 1));
            assertThat(threads).hasSize(1).allMatch(thread -> thread.startsWith("clients-"));
        } finally {
            server.disposeNow(LIMIT);
            loops.dispose();
            database.dispose();
        }
    }

    private static Flux<Mono<DataBuffer>> rows(Scheduler database, Set<String> threads) {
        return Flux.range(0, ROWS)
                .publishOn(database)
                .map(row -> Mono.fromSupplier(() -> {
                    threads.add(Thread.currentThread().getName());
                    return DefaultDataBufferFactory.sharedInstance.wrap((row + "\n").getBytes(StandardCharsets.UTF_8));
                }));
    }
}
