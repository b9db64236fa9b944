package io.reactiverouter.connection;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import reactor.core.publisher.Mono;
import reactor.util.context.Context;

@NullUnmarked
class DeadlineTests {

    private static final Mono<Deadline> CURRENT =
            Mono.deferContextual(context -> Mono.justOrEmpty(Deadline.of(context)));

    @Test
    void contextHasNoneUnlessItIsPutThere() {
        assertThat(CURRENT.blockOptional()).isEmpty();
        assertThat(Deadline.of(Context.empty(), null)).isNull();
    }

    @ParameterizedTest
    @CsvSource({"PT2S, PT1H, PT2S", "PT1H, PT2S, PT2S"})
    void earlierOneCounts(Duration inner, Duration outer, Duration counts) {
        Deadline found = CURRENT.contextWrite(Deadline.within(inner))
                .contextWrite(Deadline.within(outer))
                .block();

        assertThat(found.limit()).isEqualTo(counts);
        assertThat(found.remainingNanos()).isBetween(1L, counts.toNanos());
        Context context = Deadline.within(outer).apply(Context.empty());
        assertThat(Objects.requireNonNull(Deadline.of(context, inner)).limit()).isEqualTo(counts);
    }

    @Test
    void timeBeginsWithEachSubscriptionAndOneAboveItIsShared() {
        Set<Deadline> found = ConcurrentHashMap.newKeySet();
        Mono<Deadline> limited = CURRENT.doOnNext(found::add).contextWrite(Deadline.within(Duration.ofMinutes(1)));
        limited.repeat(1).blockLast();
        assertThat(found).hasSize(2);

        found.clear();
        CURRENT.doOnNext(found::add)
                .repeat(1)
                .contextWrite(Deadline.within(Duration.ofMinutes(1)))
                .blockLast();
        assertThat(found).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource({"PT0S", "PT-3S", "PT-9000000000000000S"})
    void whatIsLeftOfTimeThatIsOverIsOver(Duration limit) {
        assertThat(CURRENT.contextWrite(Deadline.within(limit)).block().isOver())
                .isTrue();
    }

    @Test
    void centuriesAreNotOver() {
        Deadline found = CURRENT.contextWrite(Deadline.within(Duration.ofSeconds(Long.MAX_VALUE)))
                .block();

        assertThat(found.isOver()).isFalse();
        assertThat(found.remainingNanos())
                .isGreaterThan(Duration.ofDays(365 * 50).toNanos());
    }
}
