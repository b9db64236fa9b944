package io.reactiverouter.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.List;
import java.util.Queue;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

class ParallelTests {

    private final CyclicBarrier together = new CyclicBarrier(3);

    @Test
    void resultsKeepTheOrderAndTasksRunSideBySide() {
        assertThat(Parallel.map(List.of(1, 2, 3), i -> meet(i) * 10, done -> {}))
                .containsExactly(10, 20, 30);
    }

    @Test
    void failureUndoesTheOthersAndKeepsEveryCause() {
        Queue<Integer> undone = new ConcurrentLinkedQueue<>();

        assertThatIllegalStateException()
                .isThrownBy(() -> Parallel.map(
                        List.of(1, 2, 3),
                        i -> {
                            if (meet(i) != 2) {
                                throw new IllegalStateException("task " + i);
                            }
                            return i;
                        },
                        undone::add))
                .withMessage("task 1")
                .satisfies(failure -> assertThat(failure.getSuppressed())
                        .singleElement()
                        .hasToString("java.lang.IllegalStateException: task 3"));
        assertThat(undone).containsExactly(2);
    }

    private int meet(int i) {
        try {
            together.await(10, TimeUnit.SECONDS);
            return i;
        } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
            throw new AssertionError(e);
        }
    }
}
