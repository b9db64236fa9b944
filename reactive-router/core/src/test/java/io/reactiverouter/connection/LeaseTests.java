package io.reactiverouter.connection;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;

@NullUnmarked
class LeaseTests {

    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final Lease lease = new Lease();
    private final AtomicInteger sent = new AtomicInteger();
    private final CountDownLatch sending = new CountDownLatch(1);
    private final CountDownLatch mayGoOn = new CountDownLatch(1);

    private Mono<Integer> slow() {
        return Mono.fromSupplier(() -> {
            sending.countDown();
            try {
                mayGoOn.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            return sent.incrementAndGet();
        });
    }

    @Test
    void lenderCanSendAfterTheOwner() {
        lease.withdraw().block(LIMIT);
        StepVerifier.create(lease.within(Mono.fromSupplier(sent::incrementAndGet)))
                .expectError(IllegalStateException.class)
                .verify(LIMIT);
        assertThat(lease.lastly(() -> Mono.fromSupplier(sent::incrementAndGet)).block(LIMIT))
                .isEqualTo(1);
    }

    @Test
    void lenderCanSendNothingAfterTheEnd() {
        lease.withdraw().block(LIMIT);
        lease.end().block(LIMIT);
        StepVerifier.create(lease.lastly(() -> Mono.fromSupplier(sent::incrementAndGet)))
                .expectError(IllegalStateException.class)
                .verify(LIMIT);
        assertThat(sent).hasValue(0);
    }

    /** As a commit on a thread that pauses before it has sent it, while a cancel gives the connection back. */
    @Test
    void endWaitsUntilTheLenderHasSent() throws InterruptedException {
        lease.withdraw().block(LIMIT);
        lease.lastly(this::slow).subscribeOn(Schedulers.boundedElastic()).subscribe();
        assertThat(sending.await(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();

        AtomicInteger sentBefore = new AtomicInteger(-1);
        CountDownLatch ended = new CountDownLatch(1);
        lease.end().doOnSuccess(end -> sentBefore.set(sent.get())).subscribe(null, null, ended::countDown);
        assertThat(ended.await(200, TimeUnit.MILLISECONDS)).isFalse();
        mayGoOn.countDown();

        assertThat(ended.await(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(sentBefore).hasValue(1);
    }

    @Test
    void allWhoWaitAreTold() throws InterruptedException {
        Mono.from(lease.within(slow())).subscribeOn(Schedulers.boundedElastic()).subscribe();
        assertThat(sending.await(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();

        CountDownLatch told = new CountDownLatch(2);
        lease.withdraw().subscribe(null, null, told::countDown);
        lease.end().subscribe(null, null, told::countDown);
        mayGoOn.countDown();

        assertThat(told.await(1, TimeUnit.SECONDS)).isTrue();
    }
}
