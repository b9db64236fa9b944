package io.reactiverouter.connection;

import io.netty.util.ReferenceCountUtil;
import io.r2dbc.postgresql.api.PostgresqlException;
import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Result.Message;
import io.r2dbc.spi.Result.RowSegment;
import io.r2dbc.spi.Result.Segment;
import io.r2dbc.spi.Row;
import io.r2dbc.spi.RowMetadata;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.Exceptions;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;

/** What a reader makes of the rows or segments of a result. Called where they come from, one after the other. */
final class ResultMapping<T> {

    private static final Set<String> ERRORS = Set.of("ERROR", "FATAL", "PANIC");

    private final ResultReader<T> reader;
    private final ResultFilter filter;

    ResultMapping(ResultReader<T> reader, ResultFilter filter) {
        this.reader = reader;
        this.filter = filter;
    }

    /** What stands for a row that the subscriber does not get. */
    enum Dropped {
        /** Nobody waits for it. */
        UNWANTED,

        /** The subscriber waits for another one in its place. */
        SKIPPED
    }

    /** Returns the rows of a result, each as what the mapper makes of it or as {@link Dropped}. */
    Publisher<?> rows(Result result, BiFunction<Row, RowMetadata, ? extends T> mapper) {
        return filter.on(result, reader::isWaiting, this::failOn).map((row, metadata) -> row(mapper, row, metadata));
    }

    private Object row(BiFunction<Row, RowMetadata, ? extends T> mapper, Row row, RowMetadata metadata) {
        if (!reader.isReading()) {
            reader.refuse();
            return Dropped.UNWANTED;
        }
        try {
            return Objects.requireNonNull(mapper.apply(row, metadata), "a mapper must not return null for a row");
        } catch (Throwable error) {
            Exceptions.throwIfFatal(error);
            return failOn(row, error);
        }
    }

    /** Returns the segments of a result, each by what the mapper makes of it. */
    Publisher<?> segments(Result result, Function<Segment, ? extends Publisher<? extends T>> mapper) {
        Mono<Void> untilLeft = reader.untilLeft();
        // The driver does not release segments that it had ready when something fails. What the mapper, or a filter,
        // discards is released where it comes from, and must not see the discarding here.
        return Flux.<T>from(result.flatMap(
                        segment -> segment(segment, mapper, untilLeft).contextWrite(seen -> reader.currentContext())))
                .doOnDiscard(RowSegment.class, ReferenceCountUtil::release);
    }

    private Flux<T> segment(
            Segment segment, Function<Segment, ? extends Publisher<? extends T>> mapper, Mono<Void> untilLeft) {
        if (!reader.isReading()) {
            dropped(segment);
            return Flux.empty();
        }
        Publisher<? extends T> begunForIt;
        try {
            // Not when it is subscribed to: a cancel then would release the segment while the mapper reads it.
            begunForIt = filter.passes(segment)
                    ? Objects.requireNonNull(mapper.apply(segment), "a mapper must not return null for a segment")
                    : Flux.empty();
        } catch (Throwable error) {
            Exceptions.throwIfFatal(error);
            failOn(segment, error);
            return Flux.empty();
        }
        AtomicBoolean whole = new AtomicBoolean();
        return Flux.<T>from(begunForIt)
                .doOnComplete(() -> whole.set(true))
                // What the mapper has begun for a segment ends with the reader, however much more it would give.
                .takeUntilOther(untilLeft)
                .onErrorResume(error -> {
                    whole.set(true);
                    failOn(segment, error);
                    return Mono.empty();
                })
                .doOnComplete(() -> {
                    if (!whole.get()) {
                        reader.refuse();
                    }
                });
    }

    /** Looks at a segment that the subscriber does not get: it may be one that it would not have got anyway. */
    private void dropped(Segment segment) {
        R2dbcException error = error(segment);
        if (error != null) {
            reader.missed(error);
        }
        if (!reader.isWaiting()) {
            return;
        }
        try {
            if (!filter.passes(segment)) {
                return;
            }
        } catch (Throwable thrown) {
            Exceptions.throwIfFatal(thrown);
            reader.fail(thrown);
            return;
        }
        if (error == null) {
            reader.refuse();
        } else {
            reader.fail(error);
        }
    }

    /** Returns the error that a segment says, null if it is none: a notice can have the SQLSTATE of one. */
    private static @Nullable R2dbcException error(Segment segment) {
        R2dbcException said = segment instanceof Message message ? message.exception() : null;
        String severity = said instanceof PostgresqlException error
                ? error.getErrorDetails().getSeverityNonLocalized()
                : null;
        // Servers say it since version 9.6.
        return severity == null || ERRORS.contains(severity) ? said : null;
    }

    /** Ends the reading with an error, unless the subscriber goes on without the element as {@code onErrorContinue} does. */
    private Dropped failOn(Object element, Throwable error) {
        Throwable failure = Operators.onNextError(element, error, reader.currentContext());
        if (failure == null) {
            return Dropped.SKIPPED;
        }
        reader.fail(failure);
        return Dropped.UNWANTED;
    }
}
