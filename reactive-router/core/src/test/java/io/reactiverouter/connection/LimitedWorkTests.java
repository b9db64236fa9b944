package io.reactiverouter.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.connection.CallTimeoutException.Consequence;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.test.StepVerifier;
import reactor.test.util.RaceTestUtils;

@NullUnmarked
class LimitedWorkTests {

    @Test
    void workThatHasBeenCalledIsNotGivenUp() {
        LimitedWork<Integer> work = new LimitedWork<>(connection -> Flux.just(1), () -> Consequence.ROLLED_BACK);

        StepVerifier.create(work.apply(null)).expectNext(1).expectComplete().verify(Duration.ofSeconds(5));

        assertThat(work.consequence()).isEqualTo(Consequence.ROLLED_BACK);
    }

    @Test
    void isCalledOrGivenUpAndNeverBoth() {
        int called = 0;
        for (int i = 0; i < 10_000; i++) {
            AtomicInteger calls = new AtomicInteger();
            LimitedWork<Integer> work = new LimitedWork<>(connection -> {
                calls.incrementAndGet();
                return Flux.just(1);
            });

            RaceTestUtils.race(() -> work.apply(null), work::consequence);

            assertThat(work.consequence()).isEqualTo(calls.get() == 1 ? Consequence.CANCELLED : Consequence.NOT_RUN);
            called += calls.get();
        }
        assertThat(called).as("both orders occur").isBetween(1, 9_999);
    }
}
