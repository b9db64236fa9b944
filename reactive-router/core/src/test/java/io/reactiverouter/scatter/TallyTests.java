package io.reactiverouter.scatter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.reactiverouter.connection.CallTimeoutException;
import io.reactiverouter.observation.CallProgress;
import io.reactiverouter.stream.OnError;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;

/** Failures that come at the same moment, which servers do not bring about at will. */
@NullUnmarked
class TallyTests {

    private static final ShardId A = ShardId.of("a");
    private static final ShardId B = ShardId.of("b");
    private static final ShardId C = ShardId.of("c");

    private final List<String> signals = new ArrayList<>();

    private static Tally tally(int tolerated) {
        Tally tally = new Tally(List.of(A, B, C), tolerated, CallProgress.NONE);
        tally.part(A).ask();
        tally.part(B).ask();
        return tally;
    }

    private Throwable fail(Tally tally, ShardId shard, String message) {
        IllegalStateException error = new IllegalStateException(message);
        ended(tally, shard, error)
                .subscribe(
                        none -> {}, ended -> signals.add(ended.getMessage()), () -> signals.add("end of " + message));
        return error;
    }

    private static Flux<Object> ended(Tally tally, ShardId shard, Throwable failure) {
        return OnError.handle(Flux.error(failure), error -> tally.failed(tally.part(shard), error));
    }

    @Test
    void firstFailureEndsTheCallAndTheNextOneAddsNothing() {
        Tally tally = tally(0);

        Throwable first = fail(tally, A, "first");
        fail(tally, B, "second");

        assertThat(signals).containsExactly("first");
        assertThat(ScatterFailure.of(first).orElseThrow().manifest().outcomes())
                .satisfiesExactly(
                        a -> assertThat(a).isInstanceOf(ShardOutcome.Failed.class),
                        b -> assertThat(b).isInstanceOf(ShardOutcome.Cancelled.class),
                        c -> assertThat(c).isInstanceOf(ShardOutcome.Skipped.class));
    }

    @Test
    void rowThatComesAfterTheErrorDoesNotCompleteTheAnswer() {
        Tally tally = tally(0);
        assertThatCode(tally::check).doesNotThrowAnyException();

        Throwable error = fail(tally, A, "first");

        assertThatThrownBy(tally::check).isSameAs(error);
    }

    @Test
    void oneFailureMoreThanToleratedEndsTheCallWithTheOthersInIt() {
        Tally tally = tally(1);
        tally.part(C).row();

        Throwable first = fail(tally, A, "first");
        assertThatCode(tally::check).doesNotThrowAnyException();
        Throwable second = fail(tally, B, "second");
        fail(tally, C, "third");

        assertThat(signals).containsExactly("end of first", "second");
        assertThat(second.getSuppressed()).contains(first);
        assertThat(tally.manifest().missing()).containsExactly(A, B, C);
    }

    @Test
    void failureOfAllShardsIsNoEmptyAnswer() {
        Tally tally = tally(3);

        fail(tally, A, "first");
        fail(tally, B, "second");
        fail(tally, C, "third");

        assertThat(signals).containsExactly("end of first", "end of second", "third");
    }

    @Test
    void failureOfAllShardsAfterRowsIsAPartialAnswer() {
        Tally tally = tally(3);
        tally.part(B).row();

        fail(tally, A, "first");
        fail(tally, B, "second");
        fail(tally, C, "third");

        assertThat(signals).containsExactly("end of first", "end of second", "end of third");
        assertThat(tally.manifest().isComplete()).isFalse();
    }

    @Test
    void failureAfterTheLastRowOfALimitChangesNothing() {
        Tally tally = tally(0);
        tally.part(A).row();
        tally.limitReached();

        fail(tally, A, "late");

        assertThat(signals).containsExactly("end of late");
        assertThat(tally.manifest().isComplete()).isTrue();
        assertThat(tally.manifest().outcomes()).allMatch(ShardOutcome.Limited.class::isInstance);
    }

    @Test
    void constantExceptionDoesNotCollectTheNotesOfAllCalls() {
        IllegalStateException constant = new IllegalStateException("constant");
        for (int i = 0; i < 3; i++) {
            Tally tally = tally(1);
            fail(tally, A, "first");
            ended(tally, B, constant).subscribe(none -> {}, error -> {});
        }

        assertThat(constant.getSuppressed()).hasSize(2);
    }

    @Test
    void timeLimitIsAnOutcomeOfItsOwn() {
        Tally tally = tally(1);

        ended(
                        tally,
                        A,
                        CallTimeoutException.deadline(
                                A, Duration.ofMillis(5), CallTimeoutException.Consequence.CANCELLED))
                .subscribe();

        assertThat(tally.manifest().outcomes().get(0)).isInstanceOf(ShardOutcome.TimedOut.class);
    }
}
