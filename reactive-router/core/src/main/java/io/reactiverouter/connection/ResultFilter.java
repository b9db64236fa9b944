package io.reactiverouter.connection;

import io.r2dbc.spi.Result;
import io.r2dbc.spi.Result.Message;
import io.r2dbc.spi.Result.Segment;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.Exceptions;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;
import reactor.util.context.Context;

/**
 * The filters that a caller has put on a result.
 *
 * @param predicate all of them, null for none
 */
record ResultFilter(@Nullable Predicate<Segment> predicate) {

    static final ResultFilter NONE = new ResultFilter(null);

    ResultFilter and(Predicate<Segment> more) {
        return new ResultFilter(predicate == null ? more : predicate.and(more));
    }

    /** Says whether a segment passes; throws what the caller's filter throws. */
    boolean passes(Segment segment) {
        return predicate == null || predicate.test(segment);
    }

    /**
     * Returns how many rows the filtered result says were updated. Asks for everything at once, so that nothing waits behind
     * a subscriber who does not ask.
     *
     * @param cancels whether a cancel reaches the driver
     */
    Mono<Long> count(Result result, boolean cancels) {
        return Mono.create(sink -> {
            Disposable.Swap counting = Disposables.swap();
            if (cancels) {
                sink.onDispose(counting);
                if (counting.isDisposed()) {
                    // Cancelled before anything was sent.
                    return;
                }
            }
            AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
            // One signal: a sink that nobody has asked yet would take an end after the count for the end without one.
            counting.update(Mono.from(on(result, () -> failure.get() == null, (segment, thrown) -> failure.set(thrown))
                            .getRowsUpdated())
                    .singleOptional()
                    .subscribe(
                            count -> end(sink, count.orElse(null), failure.get()),
                            error -> sink.error(
                                    Objects.requireNonNullElseGet(failure.get(), () -> Unread.ofServer(error))),
                            null,
                            Context.of(sink.contextView())));
        });
    }

    private static void end(MonoSink<Long> sink, @Nullable Long count, @Nullable Throwable failure) {
        if (failure == null) {
            sink.success(count);
        } else {
            sink.error(failure);
        }
    }

    /**
     * Returns {@code result} with this filter in the driver. The driver loses the segment over which a filter throws: so it
     * does not pass, and {@code failed} gets it and what was thrown. When it does not matter any more, only errors pass.
     */
    Result on(Result result, BooleanSupplier matters, BiConsumer<? super Segment, ? super Throwable> failed) {
        Predicate<Segment> filter = predicate;
        return filter == null
                ? result
                : result.filter(segment -> {
                    try {
                        return matters.getAsBoolean() ? filter.test(segment) : segment instanceof Message;
                    } catch (Throwable thrown) {
                        Exceptions.throwIfJvmFatal(thrown);
                        failed.accept(segment, thrown);
                        return false;
                    }
                });
    }
}
