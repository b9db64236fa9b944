package io.reactiverouter.connection;

import io.netty.util.ReferenceCountUtil;
import io.r2dbc.spi.Readable;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Row;
import io.r2dbc.spi.RowMetadata;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.util.context.Context;

/** A result of a {@link LeasedStatement}. */
final class LeasedResult implements Result {

    private final Result result;
    private final Lease lease;
    private final @Nullable Predicate<Segment> filter;

    LeasedResult(Result result, Lease lease) {
        this(result, lease, null);
    }

    private LeasedResult(Result result, Lease lease, @Nullable Predicate<Segment> filter) {
        this.result = result;
        this.lease = lease;
        this.filter = filter;
    }

    @Override
    public Publisher<Long> getRowsUpdated() {
        return lease.within(filtered().getRowsUpdated());
    }

    @Override
    public <T> Publisher<T> map(BiFunction<Row, RowMetadata, ? extends T> mapper) {
        return lease.within(filtered().map(mapper));
    }

    @Override
    public <T> Publisher<T> map(Function<? super Readable, ? extends T> mapper) {
        return lease.within(filtered().map(mapper));
    }

    private Result filtered() {
        return filter == null ? result : result.filter(filter);
    }

    @Override
    public Result filter(Predicate<Segment> more) {
        return new LeasedResult(result, lease, filter == null ? more : filter.and(more));
    }

    /**
     * The driver does not release segments that it had ready when a mapper fails. Only those: what the mapper, or a filter,
     * discards is released where it comes from, so that they must not see the discarding here.
     */
    @Override
    public <T> Publisher<T> flatMap(Function<Segment, ? extends Publisher<? extends T>> mapper) {
        return lease.within(Flux.<T>deferContextual(context -> Flux.<T>from(
                        result.flatMap(segment -> wanted(segment, mapper).contextWrite(seen -> Context.of(context))))
                .doOnDiscard(RowSegment.class, ReferenceCountUtil::release)));
    }

    private <T> Flux<T> wanted(Segment segment, Function<Segment, ? extends Publisher<? extends T>> mapper) {
        return Flux.defer(
                () -> filter == null || filter.test(segment) ? Flux.<T>from(mapper.apply(segment)) : Flux.<T>empty());
    }

    @Override
    public String toString() {
        return result.toString();
    }
}
