package io.reactiverouter.connection;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;
import reactor.test.util.RaceTestUtils;

@NullUnmarked
class OpeningsTests {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private final Openings openings = new Openings(2);
    private final List<Integer> begun = new ArrayList<>();

    @Test
    void othersWaitForTheirTurn() {
        List<Sinks.One<Integer>> ends = ends(5);
        List<Integer> opened = new ArrayList<>();
        List<Disposable> callers = callers(ends, opened);
        assertThat(begun).containsExactly(0, 1);

        ends.get(1).tryEmitValue(1);
        assertThat(begun).containsExactly(0, 1, 2);
        assertThat(opened).containsExactly(1);

        ends.get(0).tryEmitError(new IllegalStateException("refused"));
        assertThat(begun).as("a refusal is of one").containsExactly(0, 1, 2, 3);

        ends.get(2).tryEmitEmpty();
        assertThat(begun).containsExactly(0, 1, 2, 3, 4);
        ends.get(3).tryEmitValue(3);
        ends.get(4).tryEmitValue(4);
        assertThat(opened).containsExactly(1, 3, 4);
        assertThat(callers).allMatch(Disposable::isDisposed);
        assertAllAreFree();
    }

    @Test
    void whoLeavesMakesRoom() {
        List<Sinks.One<Integer>> ends = ends(5);
        List<Disposable> callers = callers(ends, new ArrayList<>());

        callers.get(2).dispose();
        callers.get(0).dispose();
        assertThat(begun).as("who waited has left").containsExactly(0, 1, 3);
        callers.get(3).dispose();
        callers.get(1).dispose();
        callers.get(4).dispose();
        assertThat(begun).containsExactly(0, 1, 3, 4);
        assertThat(ends).allMatch(end -> end.currentSubscriberCount() == 0);
        assertAllAreFree();
    }

    @Test
    void thoseBehindAnOpeningWithoutAnswerFailWithIt() {
        List<Sinks.One<Integer>> ends = ends(2);
        callers(ends, new ArrayList<>());
        List<Throwable> failures = new ArrayList<>();
        AtomicInteger again = new AtomicInteger();
        Mono<Integer> next = openings.inTurn(Mono.fromCallable(again::incrementAndGet));
        for (int i = 0; i < 3; i++) {
            next.onErrorResume(error -> {
                        failures.add(error);
                        return next;
                    })
                    .subscribe();
        }

        TimeoutException timeout = new TimeoutException("no answer");
        ends.get(0).tryEmitError(timeout);

        assertThat(failures).containsExactly(timeout, timeout, timeout);
        assertThat(again).as("who comes again has a turn").hasValue(3);
        ends.get(1).tryEmitEmpty();
        assertAllAreFree();
    }

    @Test
    void failureToBeginEndsTheTurn() {
        for (int i = 0; i < 5; i++) {
            StepVerifier.create(openings.inTurn(Mono.defer(() -> {
                        throw new IllegalStateException("no");
                    })))
                    .expectErrorMessage("no")
                    .verify(TIMEOUT);
        }
        assertAllAreFree();
    }

    @Test
    void endsAndCancelsRaceWithoutLosingATurn() {
        for (int i = 0; i < 2_000; i++) {
            List<Sinks.One<Integer>> ends = ends(4);
            List<Disposable> callers = callers(ends, new ArrayList<>());

            RaceTestUtils.race(
                    callers.get(2)::dispose,
                    () -> ends.get(0).tryEmitValue(0),
                    callers.get(1)::dispose,
                    callers.get(3)::dispose);

            assertThat(ends).allMatch(end -> end.currentSubscriberCount() == 0);
            assertAllAreFree();
        }
    }

    @Test
    void neverMoreThanTheLimit() {
        AtomicInteger now = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        Mono<Integer> opening = openings.inTurn(Mono.fromCallable(() -> {
                    most.accumulateAndGet(now.incrementAndGet(), Math::max);
                    return 1;
                })
                .delayElement(Duration.ofNanos(10_000), Schedulers.parallel())
                .doOnTerminate(now::decrementAndGet));

        StepVerifier.create(Flux.range(0, 5_000)
                        .flatMap(i -> opening.subscribeOn(Schedulers.parallel()), 50)
                        .count())
                .expectNext(5_000L)
                .expectComplete()
                .verify(TIMEOUT);
        assertThat(most).hasValue(2);
        assertAllAreFree();
    }

    private static List<Sinks.One<Integer>> ends(int count) {
        return Flux.range(0, count).map(i -> Sinks.<Integer>one()).collectList().block();
    }

    private List<Disposable> callers(List<Sinks.One<Integer>> ends, List<Integer> opened) {
        List<Disposable> callers = new ArrayList<>();
        begun.clear();
        for (int i = 0; i < ends.size(); i++) {
            int number = i;
            Mono<Integer> end = ends.get(i).asMono();
            callers.add(openings.inTurn(Mono.defer(() -> {
                        synchronized (begun) {
                            begun.add(number);
                        }
                        return end;
                    }))
                    .subscribe(opened::add, error -> {}));
        }
        return callers;
    }

    private void assertAllAreFree() {
        List<Sinks.One<Integer>> ends = ends(3);
        List<Disposable> callers = callers(ends, new ArrayList<>());
        assertThat(begun).containsExactly(0, 1);
        callers.get(2).dispose();
        callers.get(1).dispose();
        callers.get(0).dispose();
    }
}
