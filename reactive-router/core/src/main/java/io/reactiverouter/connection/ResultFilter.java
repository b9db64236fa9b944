package io.reactiverouter.connection;

import io.r2dbc.spi.Result;
import io.r2dbc.spi.Result.Segment;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import reactor.core.Exceptions;

/**
 * The filters that a caller has put on a result. The driver loses the segment over which one of them throws: so there they let
 * it pass, and what was thrown is what the reader of the result fails with.
 */
final class ResultFilter {

    private final @Nullable Predicate<Segment> predicate;
    private final AtomicReference<@Nullable Throwable> failure;

    private ResultFilter(@Nullable Predicate<Segment> predicate, AtomicReference<@Nullable Throwable> failure) {
        this.predicate = predicate;
        this.failure = failure;
    }

    /** Returns the filter of a result that has none. */
    static ResultFilter none() {
        return new ResultFilter(null, new AtomicReference<>());
    }

    ResultFilter and(Predicate<Segment> more) {
        return new ResultFilter(predicate == null ? more : predicate.and(more), failure);
    }

    /** Says whether a segment passes; throws what the caller's filter throws. */
    boolean passes(Segment segment) {
        return predicate == null || predicate.test(segment);
    }

    /** Returns {@code result} with this filter in the driver. */
    Result on(Result result) {
        Predicate<Segment> filter = predicate;
        return filter == null
                ? result
                : result.filter(segment -> {
                    try {
                        return filter.test(segment);
                    } catch (Throwable thrown) {
                        Exceptions.throwIfJvmFatal(thrown);
                        failure.compareAndSet(null, thrown);
                        return true;
                    }
                });
    }

    /** Returns what a filter in the driver has thrown, null if nothing. */
    @Nullable Throwable failure() {
        return failure.get();
    }

    /** Throws what a filter in the driver has thrown. */
    void check() {
        Throwable thrown = failure();
        if (thrown != null) {
            throw Exceptions.propagate(thrown);
        }
    }
}
