package io.reactiverouter.stream;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Sinks;
import reactor.test.StepVerifier;
import reactor.test.util.RaceTestUtils;

@NullUnmarked
class ResumeTests {

    private static final Duration LIMIT = Duration.ofSeconds(10);

    @Test
    void anotherStreamTakesThePlaceOfOneThatGaveNothing() {
        Flux<Integer> numbers = Resume.of(
                Flux.error(new IllegalStateException("first")),
                error -> error.getMessage().equals("first")
                        ? Flux.error(new IllegalStateException("second"))
                        : Flux.range(1, 3));
        StepVerifier.create(numbers, 0)
                .thenRequest(2)
                .expectNext(1, 2)
                .thenRequest(1)
                .expectNext(3)
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void errorAfterAnElementIsTheEnd() {
        AtomicInteger asked = new AtomicInteger();
        Flux<Integer> numbers = Resume.of(Flux.just(1, 0).map(number -> 1 / number), error -> {
            asked.incrementAndGet();
            return Flux.just(9);
        });
        StepVerifier.create(numbers)
                .expectNext(1)
                .expectError(ArithmeticException.class)
                .verify(LIMIT);
        assertThat(asked).hasValue(0);
    }

    @Test
    void nullIsToLeaveItAtTheError() {
        StepVerifier.create(Resume.of(Flux.error(new ArithmeticException()), error -> null))
                .expectError(ArithmeticException.class)
                .verify(LIMIT);
    }

    @Test
    void handlerThatFailsSaysSoWithTheErrorBesideIt() {
        StepVerifier.create(Resume.of(Flux.error(new ArithmeticException("original")), error -> {
                    throw new IllegalStateException("handler");
                }))
                .expectErrorSatisfies(error -> assertThat(error)
                        .hasMessage("handler")
                        .satisfies(it -> assertThat(it.getSuppressed()[0]).hasMessage("original")))
                .verify(LIMIT);
    }

    @Test
    void otherStreamIsAskedForAllThatWasAskedForAndNoMore() {
        AtomicLong asked = new AtomicLong();
        Sinks.Empty<Integer> first = Sinks.empty();
        Flux<Integer> numbers =
                Resume.of(first.asMono().flux(), error -> Flux.range(1, 100).doOnRequest(asked::addAndGet));
        StepVerifier.create(numbers, 0)
                .thenRequest(3)
                .thenRequest(4)
                .then(() -> first.tryEmitError(new IllegalStateException()))
                .expectNextCount(7)
                .then(() -> assertThat(asked).hasValue(7))
                .thenRequest(2)
                .expectNextCount(2)
                .then(() -> assertThat(asked).hasValue(9))
                .thenCancel()
                .verify(LIMIT);
    }

    @Test
    void requestAtTheMomentOfTheChangeCountsOnce() {
        for (long end = System.nanoTime() + SECONDS.toNanos(2); System.nanoTime() < end; ) {
            AtomicLong asked = new AtomicLong();
            List<Integer> seen = new ArrayList<>();
            Sinks.Empty<Integer> first = Sinks.empty();
            BaseSubscriber<Integer> reader = new BaseSubscriber<>() {
                @Override
                protected void hookOnSubscribe(org.reactivestreams.Subscription subscription) {
                    subscription.request(1);
                }

                @Override
                protected void hookOnNext(Integer element) {
                    seen.add(element);
                }
            };
            Resume.of(first.asMono().flux(), error -> Flux.range(1, 100).doOnRequest(asked::addAndGet))
                    .subscribe(reader);

            RaceTestUtils.race(() -> first.tryEmitError(new IllegalStateException()), () -> reader.request(2));

            assertThat(asked).hasValue(3);
            assertThat(seen).containsExactly(1, 2, 3);
        }
    }

    /** With {@code onErrorResume} of reactor-core 3.8.6 this fails. */
    @Test
    void cancelAtTheMomentOfTheChangeStopsTheOther() {
        for (long end = System.nanoTime() + SECONDS.toNanos(3); System.nanoTime() < end; ) {
            AtomicInteger atWork = new AtomicInteger();
            Sinks.Empty<Object> first = Sinks.empty();
            Disposable reading = Resume.of(
                            first.asMono().flux(),
                            error -> Flux.never()
                                    .doOnSubscribe(subscription -> atWork.incrementAndGet())
                                    .doOnCancel(atWork::decrementAndGet))
                    .subscribe();

            RaceTestUtils.race(() -> first.tryEmitError(new IllegalStateException()), reading::dispose);

            assertThat(atWork).as("sources at work").hasValue(0);
        }
    }
}
