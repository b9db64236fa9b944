package io.reactiverouter.test;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Blocking work on several elements side by side, each on a thread of its own. Returns when all of it has ended. */
final class Parallel {

    private Parallel() {}

    /** Does the task for each element; throws the error of the first that failed, with the others as suppressed. */
    static <A> void forEach(List<A> elements, Consumer<A> task) {
        map(
                elements,
                element -> {
                    task.accept(element);
                    return element;
                },
                done -> {});
    }

    /** Returns the results in order. If one task fails, undoes the others and throws. */
    static <A, B> List<B> map(List<A> elements, Function<A, B> task, Consumer<B> undo) {
        if (elements.isEmpty()) {
            return List.of();
        }
        ExecutorService threads = Executors.newFixedThreadPool(elements.size());
        try {
            List<Future<B>> running = elements.stream()
                    .map(element -> threads.submit(() -> task.apply(element)))
                    .toList();
            return join(running, undo);
        } finally {
            threads.shutdown();
        }
    }

    private static <B> List<B> join(List<Future<B>> running, Consumer<B> undo) {
        List<B> results = new ArrayList<>();
        RuntimeException failure = null;
        boolean interrupted = false;
        for (Future<B> future : running) {
            while (true) {
                try {
                    results.add(future.get());
                    break;
                } catch (ExecutionException e) {
                    failure = combined(failure, e.getCause());
                    break;
                } catch (InterruptedException e) {
                    // Tasks hold processes: none is left behind half done.
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (failure == null) {
            return results;
        }
        for (B result : results) {
            try {
                undo.accept(result);
            } catch (RuntimeException e) {
                failure.addSuppressed(e);
            }
        }
        throw failure;
    }

    private static RuntimeException combined(@Nullable RuntimeException first, @Nullable Throwable next) {
        if (next instanceof Error error) {
            throw error;
        }
        RuntimeException failure =
                next instanceof RuntimeException unchecked ? unchecked : new IllegalStateException(next);
        if (first == null) {
            return failure;
        }
        first.addSuppressed(failure);
        return first;
    }
}
