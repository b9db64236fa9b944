package io.reactiverouter.scatter;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.stream.OnError;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.test.util.RaceTestUtils;

@NullUnmarked
class FanOutTests {

    private final List<Integer> begun = new ArrayList<>();

    private Flux<Integer> part(FanOut fanOut, int turn, Mono<Integer> row) {
        return fanOut.part(turn).begin(Flux.defer(() -> {
            begun.add(turn);
            return row;
        }));
    }

    @Test
    void partsBeginOneByOneAsTheyGetTheirConnections() {
        FanOut fanOut = new FanOut(3, 3, () -> {});
        for (int turn : new int[] {2, 0, 1}) {
            part(fanOut, turn, Mono.never()).subscribe();
        }

        assertThat(begun).containsExactly(0);
        fanOut.part(0).connected();
        assertThat(begun).containsExactly(0, 1);
        fanOut.part(1).connected();
        fanOut.part(1).connected();
        assertThat(begun).containsExactly(0, 1, 2);
    }

    @Test
    void notMorePartsThanTheBoundWaitForTheirFirstRow() {
        FanOut fanOut = new FanOut(4, 2, () -> {});
        for (int turn = 0; turn < 4; turn++) {
            part(fanOut, turn, Mono.never()).subscribe();
            fanOut.part(turn).connected();
        }

        assertThat(begun).containsExactly(0, 1);
        fanOut.part(1).answered();
        fanOut.part(1).answered();
        assertThat(begun).containsExactly(0, 1, 2);
        fanOut.part(0).answered();
        assertThat(begun).containsExactly(0, 1, 2, 3);
    }

    @Test
    void partThatEndsMakesRoomEvenIfItNeverGotAConnection() {
        FanOut fanOut = new FanOut(3, 1, () -> {});
        part(fanOut, 0, Mono.error(new IllegalStateException("no connection")))
                .onErrorComplete()
                .subscribe();
        part(fanOut, 1, Mono.empty()).subscribe();
        part(fanOut, 2, Mono.just(7)).subscribe();

        assertThat(begun).containsExactly(0, 1, 2);
    }

    @Test
    void tellsOnceWhenAllPartsHaveAnswered() {
        AtomicInteger told = new AtomicInteger();
        FanOut fanOut = new FanOut(3, 1, told::incrementAndGet);
        Sinks.One<Integer> row = Sinks.one();
        part(fanOut, 0, Mono.just(1)).subscribe();
        part(fanOut, 1, row.asMono()).subscribe();
        part(fanOut, 2, Mono.empty()).subscribe();

        assertThat(told).hasValue(0);
        row.tryEmitValue(1);
        fanOut.part(1).answered();
        assertThat(told).hasValue(1);
    }

    @Test
    void cancelBeginsNothing() {
        FanOut fanOut = new FanOut(2, 1, () -> {});
        Sinks.One<Integer> row = Sinks.one();
        Disposable first = part(fanOut, 0, row.asMono()).subscribe();
        Disposable second = part(fanOut, 1, Mono.just(1)).subscribe();

        first.dispose();
        assertThat(begun).containsExactly(0);
        second.dispose();
        row.tryEmitValue(1);
        assertThat(begun).containsExactly(0);
    }

    /** Whoever is cancelled while the turn comes from another thread must not be left with a source at work. */
    @Test
    void cancelAtTheMomentOfTheTurnStopsTheSource() {
        for (long end = System.nanoTime() + SECONDS.toNanos(3); System.nanoTime() < end; ) {
            FanOut fanOut = new FanOut(2, 2, () -> {});
            AtomicInteger atWork = new AtomicInteger();
            Flux<Object> source = OnError.map(
                    Flux.never()
                            .doOnSubscribe(subscription -> atWork.incrementAndGet())
                            .doOnCancel(atWork::decrementAndGet),
                    error -> error);
            Disposable part = fanOut.part(1).begin(source).subscribe();

            RaceTestUtils.race(() -> fanOut.part(0).connected(), part::dispose);

            assertThat(atWork).as("sources at work").hasValue(0);
        }
    }
}
