package io.reactiverouter.scatter;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@NullUnmarked
class ParallelismTests {

    private static final int SHARDS = 16;

    private final Parallelism parallelism = new Parallelism();
    private int trials;

    /** Runs calls that take {@code millis} of their width, and returns the width of most calls. */
    private int run(int calls, int bound, IntToDoubleFunction millis) {
        trials = 0;
        int[] widths = new int[SHARDS + 1];
        for (int i = 0; i < calls; i++) {
            Parallelism.Run run = parallelism.next("q", SHARDS, bound);
            assertThat(run.width()).isBetween(1, bound);
            widths[run.width()]++;
            run.took((long) (1e6 * millis.applyAsDouble(run.width())));
        }
        int rule = parallelism.next("q", SHARDS, bound).width();
        trials = calls - widths[rule];
        return rule;
    }

    private static double independent(int width) {
        return 20 * Math.ceil((double) SHARDS / width);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 8, 16})
    void independentShardsAreAskedAtTheBoundAndTrialsAreRare(int bound) {
        assertThat(run(10_000, bound, ParallelismTests::independent)).isEqualTo(bound);
        assertThat(trials).isLessThan(10_000 / Parallelism.TRIAL_EVERY * 5 / 4);
    }

    @Test
    void noMoreThanTheRoundsNeed() {
        assertThat(run(3_000, 15, ParallelismTests::independent)).isEqualTo(8);
    }

    @Test
    void oneByOneWhereParallelQueriesAreNoFaster() {
        assertThat(run(3_000, 16, width -> 320)).isEqualTo(1);
    }

    @Test
    void oneByOneWhereParallelQueriesAreSlower() {
        assertThat(run(3_000, 16, width -> 100 + 5 * width)).isEqualTo(1);
    }

    @Test
    void asManyAsTheServersCanDoAtTheSameTime() {
        IntToDoubleFunction fourCores = width -> 20.0 * SHARDS / Math.min(width, 4);

        assertThat(run(10_000, 16, fourCores)).isEqualTo(4);
    }

    @Test
    void comesBackWhenParallelQueriesHelpAgain() {
        run(3_000, 16, width -> 320);

        assertThat(run(6_000, 16, ParallelismTests::independent)).isEqualTo(16);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.4, 0.8, 1.3})
    void noiseDoesNotTakeItFarFromTheBound(double spread) {
        Random random = new Random(7);
        mostlyAtTheBound(width -> independent(width) * Math.exp(spread * random.nextGaussian()));
    }

    @ParameterizedTest
    @CsvSource({"0.05, 20", "0.01, 1000"})
    void rareLongCallsDoNotTakeItFarFromTheBound(double share, double factor) {
        Random random = new Random(7);
        mostlyAtTheBound(width -> independent(width) * (random.nextDouble() < share ? factor : 1));
    }

    private void mostlyAtTheBound(IntToDoubleFunction millis) {
        int[] rules = IntStream.range(0, 200).map(i -> run(2_000, 16, millis)).toArray();

        assertThat(IntStream.of(rules).filter(rule -> rule == 16).count()).isGreaterThan(180);
    }

    @Test
    void noiseDoesNotHideThatParallelQueriesAreNoFaster() {
        Random random = new Random(7);

        assertThat(run(100_000, 16, width -> 320 * Math.exp(0.3 * random.nextGaussian())))
                .isLessThanOrEqualTo(2);
    }

    @Test
    void callsThatFailTakeItBackToItsBound() {
        run(3_000, 16, width -> 16);
        Parallelism.Run run = parallelism.next("q", SHARDS, 16);
        assertThat(run.width()).isEqualTo(1);

        run.failed();

        assertThat(parallelism.next("q", SHARDS, 16).width()).isEqualTo(16);
    }

    @Test
    void callersWhoGiveUpLateTakeItBackToItsBound() {
        run(3_000, 16, width -> 16);
        parallelism.next("q", SHARDS, 16).cancelled(1_000_000);
        Parallelism.Run done = parallelism.next("q", SHARDS, 16);
        done.took(17_000_000);
        done.cancelled(1_000_000_000);
        assertThat(parallelism.next("q", SHARDS, 16).width()).isEqualTo(1);

        parallelism.next("q", SHARDS, 16).cancelled(100_000_000);

        assertThat(parallelism.next("q", SHARDS, 16).width()).isEqualTo(16);
    }

    @Test
    void oneQueryLearnsNothingFromAnotherNorFromAnotherBound() {
        run(3_000, 16, width -> 320);

        assertThat(parallelism.next("other", SHARDS, 16).width()).isEqualTo(16);
        assertThat(parallelism.next("q", SHARDS, 8).width()).isEqualTo(8);
        assertThat(parallelism.next("q", 3, 16).width()).isEqualTo(3);
    }

    @Test
    void callsThatBeganUnderAnOlderRuleTeachNothing() {
        Parallelism.Run[] late = IntStream.range(0, 50)
                .mapToObj(i -> parallelism.next("q", SHARDS, 16))
                .toArray(Parallelism.Run[]::new);
        run(Parallelism.TRIAL_EVERY * 5, 16, width -> 320);
        int rule = parallelism.next("q", SHARDS, 16).width();
        for (Parallelism.Run run : late) {
            run.took(1);
        }

        assertThat(rule).isEqualTo(8);
        assertThat(run(3_000, 16, width -> 320)).isEqualTo(1);
    }
}
