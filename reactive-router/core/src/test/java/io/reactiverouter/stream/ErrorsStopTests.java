package io.reactiverouter.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Hooks;
import reactor.test.StepVerifier;

@NullUnmarked
class ErrorsStopTests {

    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final Flux<Integer> failing = Flux.range(1, 3).map(n -> 6 / (n - 2));

    @Test
    void firstErrorEndsTheSourceWhateverTheSubscriberAsksFor() {
        List<Throwable> passedOver = new ArrayList<>();
        StepVerifier.create(ErrorsStop.in(failing).onErrorContinue((error, element) -> passedOver.add(error)))
                .expectNext(-6)
                .expectError(ArithmeticException.class)
                .verify(LIMIT);
        assertThat(passedOver).isEmpty();

        // As it would be.
        StepVerifier.create(failing.onErrorContinue((error, element) -> passedOver.add(error)))
                .expectNext(-6, 6)
                .expectComplete()
                .verify(LIMIT);
        assertThat(passedOver).hasSize(1);
    }

    @Test
    void firstErrorEndsTheSourceWhateverAHookAsksFor() {
        Hooks.onNextError((error, element) -> null);
        try {
            StepVerifier.create(failing).expectNext(-6, 6).expectComplete().verify(LIMIT);
            StepVerifier.create(ErrorsStop.in(failing))
                    .expectNext(-6)
                    .expectError(ArithmeticException.class)
                    .verify(LIMIT);
        } finally {
            Hooks.resetOnNextError();
        }
    }

    @Test
    void sourceHasTheSubscribersOwnContextWhereNobodyAsksForIt() {
        Flux<Integer> size = ErrorsStop.in(
                Flux.deferContextual(context -> Flux.just((int) context.stream().count())));
        StepVerifier.create(size).expectNext(0).expectComplete().verify(LIMIT);
        StepVerifier.create(size.contextWrite(context -> context.put("a", 1)))
                .expectNext(1)
                .expectComplete()
                .verify(LIMIT);
    }
}
