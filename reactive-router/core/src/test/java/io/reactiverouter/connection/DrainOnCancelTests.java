package io.reactiverouter.connection;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;
import reactor.core.publisher.Sinks;
import reactor.test.publisher.TestPublisher;
import reactor.test.subscriber.TestSubscriber;
import reactor.test.util.RaceTestUtils;

@NullUnmarked
class DrainOnCancelTests {

    private final TestPublisher<Integer> source = TestPublisher.create();

    @Test
    void restIsReadWhenTheSubscriberLeavesAfterTheFirstElement() {
        List<Object> discarded = new ArrayList<>();
        TestSubscriber<Integer> subscriber = TestSubscriber.builder()
                .initialRequest(1)
                .contextPut("unused", 1)
                .build();
        DrainOnCancel.of(source.flux(), () -> true)
                .contextWrite(context -> Operators.enableOnDiscard(context, discarded::add))
                .subscribe(subscriber);
        source.next(1);
        source.assertMaxRequested(1);

        subscriber.cancel();
        source.assertMinRequested(Long.MAX_VALUE - 1);
        source.next(2, 3).complete();

        assertThat(subscriber.getReceivedOnNext()).containsExactly(1);
        assertThat(subscriber.isTerminated()).isFalse();
        assertThat(discarded).containsExactly(2, 3);
        source.assertNotCancelled();
    }

    @Test
    void sourceIsCancelledBeforeItsFirstElement() {
        TestSubscriber<Integer> subscriber = TestSubscriber.create();
        DrainOnCancel.of(source.flux(), () -> true).subscribe(subscriber);
        subscriber.cancel();
        source.assertCancelled(1);
    }

    @Test
    void sourceIsCancelledIfMuchIsLeft() {
        TestSubscriber<Integer> subscriber = TestSubscriber.create();
        DrainOnCancel.of(source.flux(), () -> false).subscribe(subscriber);
        source.next(1);
        subscriber.cancel();
        source.assertCancelled(1);
    }

    @Test
    void sourceThatDoesNotEndSoonIsCancelledAfterAll() {
        TestSubscriber<Integer> subscriber = TestSubscriber.create();
        Sinks.Empty<Void> cancelled = Sinks.empty();
        DrainOnCancel.of(source.flux().doOnCancel(cancelled::tryEmitEmpty), () -> true)
                .subscribe(subscriber);
        source.next(1);
        subscriber.cancel();
        source.assertNotCancelled();
        cancelled.asMono().block(Duration.ofSeconds(10));
        source.next(2).complete();
        assertThat(subscriber.getReceivedOnNext()).containsExactly(1);
        assertThat(subscriber.isTerminated()).isFalse();
    }

    @Test
    void subscriberWhoStaysGetsEverything() {
        assertThat(DrainOnCancel.of(Flux.range(0, 5), () -> true).collectList().block())
                .containsExactly(0, 1, 2, 3, 4);
        TestSubscriber<Integer> subscriber = TestSubscriber.create();
        DrainOnCancel.of(source.flux(), () -> true).subscribe(subscriber);
        source.next(1).error(new IllegalStateException("broken"));
        assertThat(subscriber.expectTerminalError()).hasMessage("broken");
    }

    @Test
    void errorOfTheRestIsNobodys() {
        TestSubscriber<Integer> subscriber = TestSubscriber.create();
        DrainOnCancel.of(source.flux(), () -> true).subscribe(subscriber);
        source.next(1);
        subscriber.cancel();
        source.error(new IllegalStateException("broken"));
        assertThat(subscriber.isTerminated()).isFalse();
        source.assertNotCancelled();
    }

    @Test
    void cancelsAtTheSameTimeDrainOnce() {
        for (int i = 0; i < 1_000; i++) {
            TestPublisher<Integer> racing = TestPublisher.create();
            TestSubscriber<Integer> subscriber =
                    TestSubscriber.builder().initialRequest(1).build();
            DrainOnCancel.of(racing.flux(), () -> true).subscribe(subscriber);
            racing.next(1);
            RaceTestUtils.race(subscriber::cancel, racing::complete);
            racing.assertNotCancelled();
            assertThat(subscriber.getReceivedOnNext()).containsExactly(1);
        }
    }
}
