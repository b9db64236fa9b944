package io.reactiverouter.connection;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.pool.InstrumentedPool;
import reactor.pool.PoolBuilder;
import reactor.pool.PooledRef;
import reactor.test.StepVerifier;
import reactor.test.publisher.TestPublisher;
import reactor.test.util.RaceTestUtils;

@NullUnmarked
class HandOutTests {

    private static final Duration LONG = Duration.ofSeconds(10);
    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    @Test
    void whatThePoolGivesIsHandedOut() {
        TestPublisher<Integer> pool = TestPublisher.create();

        StepVerifier.create(handOut(pool.mono(), LONG))
                .then(() -> pool.emit(1))
                .expectNext(1)
                .expectComplete()
                .verify(TIMEOUT);
    }

    @Test
    void waitIsLimitedAndThenThePoolKeepsWhatComes() {
        TestPublisher<Integer> pool = TestPublisher.createNoncompliant(TestPublisher.Violation.CLEANUP_ON_TERMINATE);

        StepVerifier.create(handOut(pool.mono(), Duration.ofMillis(50)))
                .expectErrorSatisfies(error ->
                        assertThat(error).isInstanceOf(TimeoutException.class).hasMessageContaining("PT0.05S"))
                .verify(TIMEOUT);
        pool.assertCancelled();
    }

    /** It gives a connection for each time. */
    @Test
    void poolIsAskedOnce() {
        AtomicInteger asked = new AtomicInteger();
        BaseSubscriber<Integer> subscriber = new BaseSubscriber<>() {
            @Override
            protected void hookOnSubscribe(Subscription subscription) {
                subscription.request(1);
                subscription.request(1);
            }
        };
        handOut(Mono.<Integer>never().doOnRequest(n -> asked.incrementAndGet()), LONG)
                .subscribe(subscriber);
        subscriber.request(1);

        assertThat(asked).hasValue(1);
        subscriber.cancel();
    }

    @Test
    void failureOfThePoolIsPassedOn() {
        StepVerifier.create(handOut(Mono.error(new IllegalStateException("pool")), LONG))
                .expectErrorMessage("pool")
                .verify(TIMEOUT);
    }

    @Test
    void connectionIsPreparedBeforeItIsHandedOutAndThenThePoolHearsOfNoCancel() {
        TestPublisher<Integer> pool = TestPublisher.createNoncompliant(TestPublisher.Violation.CLEANUP_ON_TERMINATE);
        Prepared preparation = new Prepared();

        StepVerifier.create(prepared(pool.mono(), LONG, preparation))
                .then(() -> pool.emit(1))
                .expectNoEvent(Duration.ofMillis(20))
                .then(() -> preparation.done.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST))
                .expectNext(1)
                .expectComplete()
                .verify(TIMEOUT);
        assertThat(preparation.givenBack).hasValue(0);
    }

    @Test
    void connectionThatCannotBePreparedIsGivenBack() {
        Prepared preparation = new Prepared();

        StepVerifier.create(prepared(Mono.just(1), LONG, preparation))
                .then(() -> preparation.done.emitError(
                        new IllegalStateException("not prepared"), Sinks.EmitFailureHandler.FAIL_FAST))
                .expectErrorMessage("not prepared")
                .verify(TIMEOUT);
        assertThat(preparation.givenBack).hasValue(1);
    }

    @Test
    void preparationIsInsideOfTheLimit() {
        TestPublisher<Integer> pool = TestPublisher.createNoncompliant(TestPublisher.Violation.CLEANUP_ON_TERMINATE);
        Prepared preparation = new Prepared();

        StepVerifier.create(prepared(pool.mono(), Duration.ofMillis(50), preparation))
                .then(() -> pool.emit(1))
                .expectError(TimeoutException.class)
                .verify(TIMEOUT);
        assertThat(preparation.givenBack).hasValue(1);
        pool.assertNotCancelled();
    }

    @Test
    void deadlineComesBeforeTheLimit() {
        StepVerifier.create(handOut(Mono.never(), LONG).contextWrite(Deadline.within(Duration.ofMillis(50))))
                .expectErrorMessage("late")
                .verify(TIMEOUT);
    }

    @Test
    void poolIsNotAskedAfterTheDeadline() {
        TestPublisher<Integer> pool = TestPublisher.create();

        StepVerifier.create(handOut(pool.mono(), LONG).contextWrite(Deadline.within(Duration.ZERO)))
                .expectErrorMessage("late")
                .verify(TIMEOUT);
        pool.assertWasNotRequested();
        pool.assertCancelled();
    }

    /** Either the subscriber gets it or it is given back: never both, never none. */
    @Test
    void cancelAtTheEndOfThePreparationLeavesOneOwner() {
        int handedOut = 0;
        for (int i = 0; i < 20_000; i++) {
            AtomicInteger delivered = new AtomicInteger();
            AtomicInteger cancelled = new AtomicInteger();
            Prepared preparation = new Prepared();
            BaseSubscriber<Integer> subscriber = new BaseSubscriber<>() {
                @Override
                protected void hookOnNext(Integer value) {
                    delivered.incrementAndGet();
                }
            };
            TestPublisher<Integer> pool =
                    TestPublisher.createNoncompliant(TestPublisher.Violation.CLEANUP_ON_TERMINATE);
            prepared(pool.mono().doOnCancel(cancelled::incrementAndGet), LONG, preparation)
                    .subscribe(subscriber);
            pool.next(1);

            RaceTestUtils.race(
                    () -> preparation.done.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST), subscriber::cancel);

            assertThat(delivered.get() + preparation.givenBack.get()).isEqualTo(1);
            assertThat(cancelled).hasValue(0);
            handedOut += delivered.get();
        }
        assertThat(handedOut).as("both orders occur").isBetween(1, 19_999);
    }

    private static Mono<Integer> prepared(Mono<Integer> pool, Duration limit, Prepared preparation) {
        return new HandOut<>(
                pool,
                limit,
                late -> Mono.error(new AssertionError("not given")),
                error -> error,
                preparation,
                HandOut.Waits.UNHEARD);
    }

    private static <T> Mono<T> handOut(Mono<T> pool, Duration limit) {
        return new HandOut<>(
                pool, limit, late -> Mono.empty(), error -> error, new Unprepared<>(), HandOut.Waits.UNHEARD);
    }

    /** Either the subscriber gets it, and the pool hears of no cancel, or the other way round: never both, never none. */
    @Test
    void cancelAtTheMomentOfTheHandOutLeavesOneOwner() {
        int handedOut = 0;
        for (int i = 0; i < 20_000; i++) {
            AtomicInteger delivered = new AtomicInteger();
            AtomicInteger givenBack = new AtomicInteger();
            AtomicInteger cancelled = new AtomicInteger();
            TestPublisher<Integer> pool =
                    TestPublisher.createNoncompliant(TestPublisher.Violation.CLEANUP_ON_TERMINATE);
            BaseSubscriber<Integer> subscriber = new BaseSubscriber<>() {
                @Override
                protected void hookOnNext(Integer value) {
                    delivered.incrementAndGet();
                }
            };
            new HandOut<>(
                            pool.mono().doOnCancel(cancelled::incrementAndGet),
                            LONG,
                            late -> Mono.fromRunnable(givenBack::incrementAndGet),
                            error -> error,
                            new Unprepared<>(),
                            HandOut.Waits.UNHEARD)
                    .subscribe(subscriber);

            RaceTestUtils.race(() -> pool.next(1), subscriber::cancel);

            assertThat(delivered.get() + cancelled.get()).isEqualTo(1);
            assertThat(delivered.get() + givenBack.get()).isLessThanOrEqualTo(1);
            handedOut += delivered.get();
        }
        assertThat(handedOut).as("both orders occur").isBetween(1, 19_999);
    }

    /**
     * The same behind reactor-pool as it is: a connection that the subscriber did not get must be in the pool again. Nothing is
     * done with what is in the pool, so there is no server.
     */
    @Test
    void connectionThatNobodyGotIsBackInThePool() {
        InstrumentedPool<Integer> pool =
                PoolBuilder.from(Mono.just(1)).sizeBetween(0, 1).buildPool();
        InstrumentedPool.PoolMetrics metrics = pool.metrics();
        SplittableRandom random = new SplittableRandom(1);
        int rounds = 0;
        int handedOut = 0;
        long end = System.nanoTime() + Duration.ofSeconds(4).toNanos();
        while (System.nanoTime() < end) {
            PooledRef<Integer> held = pool.acquire().block(TIMEOUT);
            AtomicReference<PooledRef<Integer>> got = new AtomicReference<>();
            BaseSubscriber<PooledRef<Integer>> subscriber = new BaseSubscriber<>() {
                @Override
                protected void hookOnNext(PooledRef<Integer> value) {
                    got.set(value);
                }
            };
            new HandOut<>(
                            pool.acquire(),
                            LONG,
                            PooledRef::release,
                            error -> error,
                            new Unprepared<>(),
                            HandOut.Waits.UNHEARD)
                    .subscribe(subscriber);
            int first = random.nextInt(400);
            int second = random.nextInt(400);
            RaceTestUtils.race(
                    () -> {
                        spin(first);
                        subscriber.cancel();
                    },
                    () -> {
                        spin(second);
                        held.release().subscribe();
                    });
            rounds++;
            if (got.get() != null) {
                handedOut++;
                got.get().release().block(TIMEOUT);
            }
            assertThat(metrics.acquiredSize()).as("lost in round %s", rounds).isZero();
            assertThat(metrics.idleSize()).isEqualTo(1);
        }
        assertThat(handedOut).as("of %s rounds, both orders occur", rounds).isBetween(1, rounds - 1);
    }

    private static final class Unprepared<T> implements HandOut.Preparation<T> {

        @Override
        public Mono<Void> of(T connection, Deadline deadline) {
            return null;
        }

        @Override
        public Mono<Void> giveBack(T connection) {
            throw new AssertionError("nothing is prepared");
        }

        @Override
        public Throwable late(Deadline deadline) {
            return new IllegalStateException("late");
        }
    }

    /** Prepared when {@code done} says so. */
    private static final class Prepared implements HandOut.Preparation<Integer> {

        private final Sinks.Empty<Void> done = Sinks.empty();
        private final AtomicInteger givenBack = new AtomicInteger();

        @Override
        public Mono<Void> of(Integer connection, Deadline deadline) {
            return done.asMono();
        }

        @Override
        public Mono<Void> giveBack(Integer connection) {
            return Mono.fromRunnable(givenBack::incrementAndGet);
        }

        @Override
        public Throwable late(Deadline deadline) {
            return new IllegalStateException("late");
        }
    }

    private static void spin(int times) {
        for (int i = 0; i < times; i++) {
            Thread.onSpinWait();
        }
    }
}
