package io.reactiverouter.stream;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Sinks;
import reactor.test.StepVerifier;
import reactor.test.util.RaceTestUtils;

@NullUnmarked
class SequentialTests {

    private static final Duration LIMIT = Duration.ofSeconds(10);

    @Test
    void eachBeginsWhenTheOneBeforeHasEnded() {
        List<Integer> begun = new ArrayList<>();
        Flux<Integer> numbers = Sequential.of(
                List.of(10, 20, 30), item -> Flux.range(item, 2).doOnSubscribe(subscription -> begun.add(item)));

        StepVerifier.create(numbers, 0)
                .thenRequest(1)
                .expectNext(10)
                .then(() -> assertThat(begun).containsExactly(10))
                .thenRequest(2)
                .expectNext(11, 20)
                .then(() -> assertThat(begun).containsExactly(10, 20))
                .thenRequest(9)
                .expectNext(21, 30, 31)
                .expectComplete()
                .verify(LIMIT);
        assertThat(numbers.collectList().block(LIMIT)).as("a second time").containsExactly(10, 11, 20, 21, 30, 31);
    }

    /** It must not ask for, and so meet, what the subscriber has not asked for. */
    @Test
    void errorComesAfterTheRowsBeforeIt() {
        StepVerifier.create(
                        Sequential.of(
                                List.of(1, 2, 0, 4), item -> Flux.just(item).map(number -> 10 / number)),
                        1)
                .expectNext(10)
                .thenRequest(1)
                .expectNext(5)
                .thenRequest(1)
                .expectError(ArithmeticException.class)
                .verify(LIMIT);
    }

    @Test
    void cancelStopsWhatIsRead() {
        AtomicInteger atWork = new AtomicInteger();
        Sequential.of(List.of(1, 2), item -> atWork(atWork)).subscribe().dispose();
        assertThat(atWork).hasValue(0);
    }

    /** With {@code concatMap} of reactor-core 3.8.6 alone this fails. */
    @Test
    void cancelAtTheMomentOfTheNextOneStopsIt() {
        for (long end = System.nanoTime() + SECONDS.toNanos(3); System.nanoTime() < end; ) {
            AtomicInteger atWork = new AtomicInteger();
            Sinks.Empty<Object> first = Sinks.empty();
            Disposable reading = Sequential.of(
                            List.of(1, 2), item -> item == 1 ? first.asMono().flux() : atWork(atWork))
                    .subscribe();

            RaceTestUtils.race(first::tryEmitEmpty, reading::dispose);

            assertThat(atWork).as("sources at work").hasValue(0);
        }
    }

    private static Flux<Object> atWork(AtomicInteger atWork) {
        return Flux.never()
                .doOnSubscribe(subscription -> atWork.incrementAndGet())
                .doOnCancel(() -> atWork.set(0));
    }
}
