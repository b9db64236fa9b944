package io.reactiverouter.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.HashedWheelTimer;
import io.netty.util.Timeout;
import io.netty.util.Timer;
import io.netty.util.TimerTask;
import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.R2dbcTransientResourceException;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;
import reactor.test.publisher.TestPublisher;

class AnswerTimeoutTests {

    private static final ShardId SHARD = ShardId.of("s0");
    private static final Duration LIMIT = Duration.ofMillis(100);

    /** Half of it is longer than what the first test of a JVM has to load takes. */
    private static final Duration LONG = Duration.ofSeconds(2);

    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    @Test
    void silentSourceIsCancelledAndNamed() {
        TestPublisher<Integer> source = TestPublisher.create();

        StepVerifier.create(AnswerTimeout.limit(source.flux(), SHARD, LIMIT))
                .expectErrorSatisfies(error -> {
                    assertThat(error).isInstanceOf(CallTimeoutException.class).hasMessageContaining("shard s0");
                    assertThat(((CallTimeoutException) error).timeout()).isEqualTo(LIMIT);
                })
                .verify(TIMEOUT);
        source.assertCancelled();
    }

    /** The timer of a busy client can come after the server's own. */
    @Test
    void serversAnswerToTheDeadlineIsATimeout() {
        R2dbcException refusal = new R2dbcTransientResourceException("canceling statement", "57014");
        StepVerifier.create(endingAfter(LONG, refusal, LONG.dividedBy(2)))
                .expectErrorSatisfies(error -> {
                    assertThat(error).isInstanceOf(CallTimeoutException.class).hasSuppressedException(refusal);
                    assertThat(((CallTimeoutException) error).timeout()).isEqualTo(LONG.dividedBy(2));
                })
                .verify(TIMEOUT);
        StepVerifier.create(endingAfter(Duration.ZERO, refusal, TIMEOUT))
                .expectErrorSatisfies(error -> assertThat(error).isSameAs(refusal))
                .verify(TIMEOUT);
        R2dbcException other = new R2dbcTransientResourceException("lock not available", "55P03");
        StepVerifier.create(endingAfter(LONG, other, LONG.dividedBy(2)))
                .expectErrorSatisfies(error -> assertThat(error).isSameAs(other))
                .verify(TIMEOUT);
    }

    private static Flux<Integer> endingAfter(Duration time, Throwable error, Duration deadline) {
        Flux<Integer> source = Flux.defer(() -> {
            long end = System.nanoTime() + time.toNanos();
            // One that has been unparked before returns at once.
            for (long left = time.toNanos(); left > 0; left = end - System.nanoTime()) {
                LockSupport.parkNanos(left);
            }
            return Flux.error(error);
        });
        return Flux.deferContextual(context -> AnswerTimeout.limit(
                        source, SHARD, null, Deadline.of(context), () -> CallTimeoutException.Consequence.CANCELLED))
                .contextWrite(Deadline.within(deadline));
    }

    @Test
    void eachSignalStartsTheWaitAnew() {
        Flux<Long> source = Flux.interval(LIMIT.dividedBy(4)).take(8);

        StepVerifier.create(AnswerTimeout.limit(source, SHARD, LIMIT))
                .expectNextCount(8)
                .expectComplete()
                .verify(TIMEOUT);
    }

    @Test
    void silenceAfterSomeRowsEndsTheStream() {
        Flux<Integer> source = Flux.concat(Flux.range(0, 3), Flux.never());

        StepVerifier.create(AnswerTimeout.limit(source, SHARD, LIMIT))
                .expectNext(0, 1, 2)
                .expectError(CallTimeoutException.class)
                .verify(TIMEOUT);
    }

    @Test
    void slowSubscriberIsNoReason() {
        StepVerifier.create(AnswerTimeout.limit(Flux.range(0, 100), SHARD, LIMIT), 1)
                .expectNext(0)
                .thenAwait(LIMIT.multipliedBy(4))
                .thenRequest(1)
                .expectNext(1)
                .thenAwait(LIMIT.multipliedBy(4))
                .thenRequest(Long.MAX_VALUE)
                .expectNextCount(98)
                .expectComplete()
                .verify(TIMEOUT);
    }

    @Test
    void demandAfterAPauseIsWaitedForInFull() {
        Sinks.Many<Integer> sink = Sinks.many().unicast().onBackpressureBuffer();

        StepVerifier.create(AnswerTimeout.limit(sink.asFlux(), SHARD, LIMIT), 0)
                .thenAwait(LIMIT.multipliedBy(3))
                .thenRequest(1)
                .thenAwait(LIMIT.dividedBy(2))
                .then(() -> sink.tryEmitNext(7).orThrow())
                .expectNext(7)
                .thenCancel()
                .verify(TIMEOUT);
    }

    /** The time that the subscriber spends on a row is not the source's. */
    @Test
    void slowHandlingOfARowIsNoReason() {
        Duration limit = Duration.ofMillis(600);
        Flux<Integer> source = Flux.range(0, 3)
                .concatMap(
                        i -> Mono.delay(Duration.ofMillis(200), Schedulers.boundedElastic())
                                .thenReturn(i),
                        1);

        StepVerifier.create(AnswerTimeout.limit(source, SHARD, limit)
                        .doOnNext(row ->
                                LockSupport.parkNanos(Duration.ofMillis(550).toNanos())))
                .expectNextCount(3)
                .expectComplete()
                .verify(TIMEOUT);
    }

    /** As a hot source does whose subscriber makes it signal again. */
    @Test
    void signalsFromWithinARowArrive() {
        Sinks.Many<Integer> sink = Sinks.many().multicast().directBestEffort();
        List<Integer> rows = new ArrayList<>();
        AtomicInteger completed = new AtomicInteger();
        AnswerTimeout.limit(sink.asFlux(), SHARD, LIMIT)
                .subscribe(
                        row -> {
                            rows.add(row);
                            if (row == 1) {
                                sink.tryEmitNext(2);
                                sink.tryEmitComplete();
                            }
                        },
                        error -> rows.add(-1),
                        completed::incrementAndGet);

        sink.tryEmitNext(1);

        assertThat(rows).containsExactly(1, 2);
        assertThat(completed).hasValue(1);
    }

    /** A row and the time-out at the same moment: the subscriber must never see a signal after the error. */
    @RepeatedTest(50)
    void rowAndTimeoutNeverOverlap() {
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger overlaps = new AtomicInteger();
        Flux<Long> source = Flux.interval(Duration.ofMillis(5), Schedulers.boundedElastic())
                .onBackpressureDrop()
                .take(20);

        AnswerTimeout.limit(source, SHARD, Duration.ofMillis(5))
                .doOnEach(signal -> {
                    if (inside.incrementAndGet() > 1) {
                        overlaps.incrementAndGet();
                    }
                    inside.decrementAndGet();
                })
                .onErrorResume(CallTimeoutException.class, error -> Flux.empty())
                .blockLast(TIMEOUT);

        assertThat(overlaps).hasValue(0);
    }

    /** As when the garbage collector stops it in the worst moment. */
    @Test
    void pauseOfTheThreadThatSetsTheLimitDoesNotLoseIt() {
        AtomicInteger looks = new AtomicInteger();
        HashedWheelTimer real = new HashedWheelTimer();
        Timer pausing = new Timer() {
            @Override
            public Timeout newTimeout(TimerTask task, long delay, TimeUnit unit) {
                Timeout set = real.newTimeout(task, delay, unit);
                if (looks.getAndIncrement() == 0) {
                    LockSupport.parkNanos(LIMIT.multipliedBy(3).toNanos());
                }
                return set;
            }

            @Override
            public Set<Timeout> stop() {
                return real.stop();
            }
        };
        try {
            // Without demand at first, so that the first look only comes back.
            StepVerifier.create(AnswerTimeout.limit(Flux.never(), SHARD, LIMIT, pausing), 0)
                    .thenRequest(1)
                    .expectError(CallTimeoutException.class)
                    .verify(TIMEOUT);
        } finally {
            pausing.stop();
        }
    }
}
