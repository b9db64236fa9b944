package io.reactiverouter.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;
import reactor.test.publisher.TestPublisher;
import reactor.util.context.Context;

class WatchedTests {

    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    private final ConcurrentLinkedQueue<String> seen = new ConcurrentLinkedQueue<>();

    private final class Noting implements Watcher {

        @Override
        public Context context(Context ofSubscriber) {
            return ofSubscriber.put("by", "watcher");
        }

        @Override
        public void first() {
            seen.add("first");
        }

        @Override
        public void ended(End end, boolean answered, @Nullable Throwable error) {
            seen.add(end + (answered ? " answered" : "") + (error == null ? "" : " " + error.getMessage()));
        }
    }

    private <T> Flux<T> watched(Flux<T> source) {
        return Watched.by(context -> new Noting(), source);
    }

    @Test
    void endsAreToldOnce() {
        watched(Flux.range(0, 3)).blockLast(TIMEOUT);
        assertThat(seen).containsExactly("first", "COMPLETE answered");
        seen.clear();
        watched(Flux.empty()).blockLast(TIMEOUT);
        assertThat(seen).containsExactly("COMPLETE");
        seen.clear();
        watched(Flux.error(new IllegalStateException("broken")))
                .onErrorComplete()
                .blockLast(TIMEOUT);
        assertThat(seen).containsExactly("ERROR broken");
    }

    @Test
    void cancelAfterTheEndIsNoSecondEnd() {
        Flux.range(0, 3)
                .flatMap(i -> watched(Flux.just(i)).singleOrEmpty())
                .next()
                .block(TIMEOUT);
        assertThat(seen).containsExactly("first", "COMPLETE answered");
        seen.clear();
        watched(Flux.just(1).concatWith(Mono.never())).next().block(TIMEOUT);
        assertThat(seen).containsExactly("first", "CANCEL answered");
    }

    @Test
    void cancelAndDemandPass() {
        TestPublisher<Integer> source = TestPublisher.create();
        StepVerifier.create(watched(source.flux()), 0)
                .thenRequest(2)
                .then(() -> {
                    source.assertMinRequested(2);
                    source.next(1, 2);
                })
                .expectNext(1, 2)
                .thenCancel()
                .verify(TIMEOUT);
        source.assertCancelled();
        assertThat(seen).containsExactly("first", "CANCEL answered");
    }

    @Test
    void sourceSeesTheWatchersContext() {
        Flux<String> source = Flux.deferContextual(
                context -> Flux.just(context.get("by") + " " + context.getOrDefault("of", "nobody")));
        assertThat(watched(source)
                        .contextWrite(Context.of("of", "subscriber"))
                        .collectList()
                        .block(TIMEOUT))
                .isEqualTo(List.of("watcher subscriber"));
    }

    @Test
    void watcherThatThrowsChangesNothing() {
        Flux<Integer> none = Watched.by(
                context -> {
                    throw new IllegalStateException("no watcher");
                },
                Flux.range(0, 3));
        assertThat(none.collectList().block(TIMEOUT)).containsExactly(0, 1, 2);
        Flux<Integer> throwing = Watched.by(
                context -> new Watcher() {
                    @Override
                    public void first() {
                        throw new IllegalStateException("first");
                    }

                    @Override
                    public void ended(End end, boolean answered, @Nullable Throwable error) {
                        throw new IllegalStateException("end");
                    }
                },
                Flux.range(0, 3));
        assertThat(throwing.collectList().block(TIMEOUT)).containsExactly(0, 1, 2);
    }

    @RepeatedTest(200)
    void cancelAndEndAtTheSameTimeAreOneEnd() throws Exception {
        Sinks.Many<Integer> sink = Sinks.many().unicast().onBackpressureBuffer();
        Disposable subscription = watched(sink.asFlux()).subscribe();
        CyclicBarrier both = new CyclicBarrier(2);
        Mono<Void> cancel = Mono.<Void>fromRunnable(() -> {
                    await(both);
                    subscription.dispose();
                })
                .subscribeOn(Schedulers.boundedElastic());
        Mono<Void> complete = Mono.<Void>fromRunnable(() -> {
                    await(both);
                    sink.tryEmitComplete();
                })
                .subscribeOn(Schedulers.boundedElastic());
        Mono.when(cancel, complete).block(TIMEOUT);
        assertThat(seen).hasSize(1);
    }

    private static void await(CyclicBarrier barrier) {
        try {
            barrier.await();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
