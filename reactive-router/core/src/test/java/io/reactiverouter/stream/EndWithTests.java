package io.reactiverouter.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;
import reactor.test.StepVerifier;
import reactor.test.publisher.TestPublisher;
import reactor.test.subscriber.TestSubscriber;
import reactor.test.util.RaceTestUtils;

@NullUnmarked
class EndWithTests {

    private static final Duration LIMIT = Duration.ofSeconds(10);

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3})
    void elementComesAfterTheSourceAndOnlyWhenAskedFor(int elements) {
        AtomicInteger asked = new AtomicInteger();
        StepVerifier.create(EndWith.of(Flux.range(0, elements), () -> 100 + asked.incrementAndGet()), elements)
                .expectNextCount(elements)
                .then(() -> assertThat(asked).hasValue(0))
                .thenRequest(1)
                .expectNext(101)
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void elementComesAtOnceToWhomHasAskedForIt() {
        StepVerifier.create(EndWith.of(Flux.range(0, 3), () -> 9))
                .expectNext(0, 1, 2, 9)
                .expectComplete()
                .verify(LIMIT);
        StepVerifier.create(EndWith.of(Flux.range(0, 3), () -> 9), 4)
                .expectNext(0, 1, 2, 9)
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void demandGoesToTheSource() {
        TestPublisher<Integer> source = TestPublisher.create();
        StepVerifier.create(EndWith.of(source.flux(), () -> 9), 2)
                .then(() -> source.assertMinRequested(2).assertMaxRequested(2))
                .thenRequest(3)
                .then(() -> source.assertMaxRequested(5))
                .thenCancel()
                .verify(LIMIT);
        source.assertCancelled(1);
    }

    @Test
    void errorOfTheSourceIsTheEnd() {
        StepVerifier.create(EndWith.of(Flux.error(new IllegalStateException("bad")), () -> 9))
                .expectErrorMessage("bad")
                .verify(LIMIT);
    }

    @Test
    void errorOfTheSupplierIsTheEnd() {
        StepVerifier.create(EndWith.of(Flux.just(1), () -> {
                    throw new IllegalStateException("none");
                }))
                .expectNext(1)
                .expectErrorMessage("none")
                .verify(LIMIT);
    }

    @Test
    void nothingComesAfterACancel() {
        TestPublisher<Integer> source = TestPublisher.createNoncompliant(TestPublisher.Violation.CLEANUP_ON_TERMINATE);
        TestSubscriber<Integer> subscriber =
                TestSubscriber.builder().initialRequest(1).build();
        EndWith.of(source.flux(), () -> 9).subscribe(subscriber);
        source.next(1);

        subscriber.cancel();
        source.complete();
        subscriber.request(1);

        assertThat(subscriber.getReceivedOnNext()).containsExactly(1);
        assertThat(subscriber.isTerminated()).isFalse();
    }

    @Test
    void requestAtTheMomentOfTheEndIsNotLost() {
        for (int i = 0; i < 20_000; i++) {
            TestPublisher<Integer> source = TestPublisher.create();
            TestSubscriber<Integer> subscriber =
                    TestSubscriber.builder().initialRequest(1).build();
            EndWith.of(source.flux(), () -> 9).subscribe(subscriber);
            source.next(1);

            RaceTestUtils.race(source::complete, () -> subscriber.request(1));

            assertThat(subscriber.getReceivedOnNext()).isEqualTo(List.of(1, 9));
            assertThat(subscriber.isTerminatedComplete()).isTrue();
        }
    }
}
