package io.reactiverouter.connection;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import reactor.pool.InstrumentedPool;
import reactor.pool.PoolBuilder;
import reactor.pool.PooledRef;
import reactor.test.StepVerifier;

@NullUnmarked
class GradualGrowthTests {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private final AtomicInteger opening = new AtomicInteger();
    private final AtomicInteger most = new AtomicInteger();
    private final AtomicInteger opened = new AtomicInteger();
    private final AtomicBoolean crowded = new AtomicBoolean();

    private InstrumentedPool<Integer> pool(int min, int max, Mono<Integer> login) {
        Mono<Integer> allocator = Mono.using(
                () -> most.accumulateAndGet(opening.incrementAndGet(), Math::max),
                begun -> login,
                begun -> opening.decrementAndGet());
        return PoolBuilder.from(allocator)
                .allocationStrategy(new GradualGrowth(min, max, opening::get, crowded::get))
                .buildPool();
    }

    private Mono<Integer> login(Duration time) {
        return Mono.delay(time).map(done -> opened.incrementAndGet());
    }

    @Test
    void fewAreOpenedAtOnceAndAllInTheEnd() {
        InstrumentedPool<Integer> pool = pool(0, 16, login(Duration.ofMillis(20)));
        StepVerifier.create(Flux.range(0, 64)
                        .flatMap(
                                i -> Mono.usingWhen(
                                        pool.acquire(), ref -> Mono.delay(Duration.ofMillis(200)), PooledRef::release),
                                64)
                        .count())
                .expectNext(64L)
                .expectComplete()
                .verify(TIMEOUT);
        assertThat(most).hasValue(GradualGrowth.AT_ONCE);
        assertThat(opened).hasValue(16);
        assertThat(pool.metrics().allocatedSize()).isEqualTo(16);
    }

    /** Nobody waits for a login of his own while connections come back. */
    @Test
    void whatComesBackIsForWhoeverWaits() {
        Mono<Integer> firstOnly = Mono.defer(() -> opened.incrementAndGet() == 1 ? Mono.just(1) : Mono.never());
        InstrumentedPool<Integer> pool = pool(0, 16, firstOnly);
        pool.acquire().flatMap(PooledRef::release).block(TIMEOUT);
        AtomicInteger done = new AtomicInteger();
        Flux.range(0, 40)
                .flatMap(
                        i -> Mono.usingWhen(pool.acquire(), ref -> Mono.delay(Duration.ofMillis(5)), PooledRef::release)
                                .doOnSuccess(end -> done.incrementAndGet()),
                        40)
                .subscribe();
        Mono.delay(Duration.ofSeconds(2)).block(TIMEOUT);
        assertThat(done).as("all but those who wait for the logins that hang").hasValue(38);
    }

    @Test
    void failedLoginsMakeRoom() {
        Mono<Integer> refused = Mono.delay(Duration.ofMillis(2)).then(Mono.error(new IllegalStateException("refused")));
        InstrumentedPool<Integer> pool = pool(0, 4, refused);
        AtomicInteger failed = new AtomicInteger();
        Flux.range(0, 200)
                .flatMap(
                        i -> pool.acquire().onErrorResume(error -> {
                            failed.incrementAndGet();
                            return Mono.empty();
                        }),
                        200)
                .blockLast(TIMEOUT);
        assertThat(failed).hasValue(200);
        assertThat(most).hasValue(GradualGrowth.AT_ONCE);
        assertThat(opening).hasValue(0);
        assertThat(pool.metrics().allocatedSize()).isZero();
    }

    @Test
    void whereMoreWaitThanMayItGrowsAtOnce() {
        crowded.set(true);
        InstrumentedPool<Integer> pool = pool(0, 8, login(Duration.ofMillis(200)));
        Flux.range(0, 8).flatMap(i -> pool.acquire(), 8).blockLast(TIMEOUT);
        assertThat(most).hasValue(8);
    }

    @Test
    void smallestSizeIsOpenedWithTheFirst() {
        InstrumentedPool<Integer> pool = pool(5, 8, login(Duration.ofMillis(5)));
        pool.acquire().block(TIMEOUT);
        Flux.interval(Duration.ofMillis(10))
                .takeUntil(tick -> pool.metrics().allocatedSize() == 5 && opened.get() == 5)
                .blockLast(TIMEOUT);
        assertThat(most.get()).isLessThanOrEqualTo(GradualGrowth.AT_ONCE);
    }

    @Test
    void permitsAreNeverTooManyNorLost() {
        GradualGrowth growth = new GradualGrowth(0, 5, () -> 0, () -> false);
        Flux.range(0, 20_000)
                .flatMap(
                        i -> Mono.fromRunnable(() -> {
                                    int permits = growth.getPermits(1);
                                    most.accumulateAndGet(growth.permitGranted(), Math::max);
                                    growth.returnPermits(permits);
                                })
                                .subscribeOn(Schedulers.parallel()),
                        64)
                .blockLast(TIMEOUT);
        assertThat(most.get()).isLessThanOrEqualTo(5);
        assertThat(growth.permitGranted()).isZero();
        assertThat(growth.estimatePermitCount()).isEqualTo(5);
        assertThat(growth.getPermits(7)).isEqualTo(5);
        assertThat(growth.getPermits(1)).isZero();
        assertThat(growth.getPermits(-1)).isZero();
    }
}
