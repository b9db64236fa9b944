package io.reactiverouter.demo.trading;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.test.scheduler.VirtualTimeScheduler;

class PacedTests {

    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final AtomicLong asked = new AtomicLong();
    private final AtomicLong came = new AtomicLong();
    private final AtomicBoolean cancelled = new AtomicBoolean();
    private final Flux<Integer> source =
            Flux.range(0, 10_000).hide().doOnRequest(asked::addAndGet).doOnCancel(() -> cancelled.set(true));

    /** Asks for so many elements at first. */
    private BaseSubscriber<Integer> subscribe(int pace, Flux<Integer> elements, long first) {
        BaseSubscriber<Integer> subscriber = new BaseSubscriber<>() {
            @Override
            protected void hookOnSubscribe(Subscription subscription) {
                request(first);
            }

            @Override
            protected void hookOnNext(Integer element) {
                came.incrementAndGet();
            }
        };
        Paced.of(pace, elements, time).subscribe(subscriber);
        return subscriber;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 100, 1_000})
    void noMoreIsAskedForThanThePaceSays(int pace) {
        subscribe(pace, source, Long.MAX_VALUE);

        time.advanceTimeBy(Duration.ofMillis(1_990));
        assertThat(asked).hasValue(pace * 2L);
        time.advanceTimeBy(Duration.ofSeconds(2));
        assertThat(asked).hasValue(pace * 4L);
        assertThat(came).hasValue(pace * 4L);
    }

    @Test
    void noMoreIsAskedForThanTheSubscriberDoesAndWhatWasNotWantedIsNotMadeUpFor() {
        BaseSubscriber<Integer> subscriber = subscribe(1_000, source, 3);

        time.advanceTimeBy(Duration.ofSeconds(5));
        assertThat(asked).hasValue(3);
        subscriber.request(5_000);
        time.advanceTimeBy(Duration.ofSeconds(1));
        assertThat(asked).hasValue(1_003);
    }

    @Test
    void cancelIsPassedOnAndNothingIsAskedForAfterwards() {
        BaseSubscriber<Integer> subscriber = subscribe(100, source, Long.MAX_VALUE);
        time.advanceTimeBy(Duration.ofMillis(990));

        subscriber.cancel();
        assertThat(cancelled).isTrue();
        time.advanceTimeBy(Duration.ofSeconds(5));
        assertThat(asked).hasValue(100);
    }

    @Test
    void streamEndsAsItsSourceDoes() {
        AtomicBoolean ended = new AtomicBoolean();
        subscribe(1_000, source.take(100).doOnComplete(() -> ended.set(true)), Long.MAX_VALUE);
        time.advanceTimeBy(Duration.ofSeconds(1));

        assertThat(came).hasValue(100);
        assertThat(ended).isTrue();
    }
}
