package io.reactiverouter.stream;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.test.StepVerifier;
import reactor.test.util.RaceTestUtils;

@NullUnmarked
class OnErrorTests {

    private static final Duration LIMIT = Duration.ofSeconds(10);

    private static final Flux<Integer> FAILS =
            Flux.just(1, 2).concatWith(Flux.error(new IllegalStateException("first")));

    @Test
    void errorIsMapped() {
        StepVerifier.create(OnError.map(FAILS, error -> new IllegalArgumentException("second", error)), 2)
                .expectNext(1, 2)
                .expectErrorSatisfies(
                        error -> assertThat(error).hasMessage("second").cause().hasMessage("first"))
                .verify(LIMIT);
    }

    @Test
    void handlerCompletesOrDoesNothing() {
        StepVerifier.create(OnError.handle(FAILS, error -> OnError.End.COMPLETE), 2)
                .expectNext(1, 2)
                .expectComplete()
                .verify(LIMIT);
        StepVerifier.create(OnError.handle(FAILS, error -> OnError.End.NOTHING))
                .expectNext(1, 2)
                .verifyTimeout(Duration.ofMillis(100));
    }

    @Test
    void handlerThatFailsIsTheError() {
        StepVerifier.create(OnError.map(FAILS, error -> {
                    throw new IllegalArgumentException("second");
                }))
                .expectNext(1, 2)
                .expectErrorSatisfies(error -> assertThat(error)
                        .hasMessage("second")
                        .satisfies(
                                second -> assertThat(second.getSuppressed()[0]).hasMessage("first")))
                .verify(LIMIT);
    }

    /** With {@code onErrorMap} of reactor-core 3.8.6 in its place this fails. */
    @Test
    void cancelAtTheMomentOfTheSubscriptionStopsTheSource() {
        for (long end = System.nanoTime() + SECONDS.toNanos(3); System.nanoTime() < end; ) {
            AtomicInteger atWork = new AtomicInteger();
            BaseSubscriber<Integer> subscriber = new BaseSubscriber<>() {};
            Flux<Integer> source = OnError.map(
                    Flux.<Integer>never()
                            .doOnSubscribe(subscription -> atWork.incrementAndGet())
                            .doOnCancel(atWork::decrementAndGet),
                    error -> error);

            RaceTestUtils.race(() -> source.subscribe(subscriber), subscriber::cancel);

            assertThat(atWork).as("sources at work").hasValue(0);
        }
    }
}
