package io.reactiverouter.connection;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;
import reactor.test.publisher.TestPublisher;
import reactor.test.util.RaceTestUtils;

class HandOutTests {

    private static final Duration LONG = Duration.ofSeconds(10);
    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    @Test
    void whatThePoolGivesIsHandedOut() {
        TestPublisher<Integer> pool = TestPublisher.create();

        StepVerifier.create(new HandOut<>(pool.mono(), LONG))
                .then(() -> pool.emit(1))
                .expectNext(1)
                .expectComplete()
                .verify(TIMEOUT);
    }

    @Test
    void waitIsLimitedAndThenThePoolKeepsWhatComes() {
        TestPublisher<Integer> pool = TestPublisher.createNoncompliant(TestPublisher.Violation.CLEANUP_ON_TERMINATE);

        StepVerifier.create(new HandOut<>(pool.mono(), Duration.ofMillis(50)))
                .expectErrorSatisfies(error ->
                        assertThat(error).isInstanceOf(TimeoutException.class).hasMessageContaining("PT0.05S"))
                .verify(TIMEOUT);
        pool.assertCancelled();
    }

    @Test
    void failureOfThePoolIsPassedOn() {
        StepVerifier.create(new HandOut<>(Mono.error(new IllegalStateException("pool")), LONG))
                .expectErrorMessage("pool")
                .verify(TIMEOUT);
    }

    /** Either the subscriber gets it, and the pool hears of no cancel, or the other way round: never both, never none. */
    @Test
    void cancelAtTheMomentOfTheHandOutLeavesOneOwner() {
        int handedOut = 0;
        for (int i = 0; i < 20_000; i++) {
            AtomicInteger delivered = new AtomicInteger();
            AtomicInteger cancelled = new AtomicInteger();
            TestPublisher<Integer> pool =
                    TestPublisher.createNoncompliant(TestPublisher.Violation.CLEANUP_ON_TERMINATE);
            BaseSubscriber<Integer> subscriber = new BaseSubscriber<>() {
                @Override
                protected void hookOnNext(Integer value) {
                    delivered.incrementAndGet();
                }
            };
            new HandOut<>(pool.mono().doOnCancel(cancelled::incrementAndGet), LONG).subscribe(subscriber);

            RaceTestUtils.race(() -> pool.next(1), subscriber::cancel);

            assertThat(delivered.get() + cancelled.get()).isEqualTo(1);
            handedOut += delivered.get();
        }
        assertThat(handedOut).as("both orders occur").isBetween(1, 19_999);
    }
}
