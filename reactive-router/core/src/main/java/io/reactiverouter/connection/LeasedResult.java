package io.reactiverouter.connection;

import io.netty.util.ReferenceCountUtil;
import io.r2dbc.spi.Readable;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Row;
import io.r2dbc.spi.RowMetadata;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;

/** A result of a {@link LeasedStatement}. */
final class LeasedResult implements Result {

    private final Result result;
    private final Lease lease;

    LeasedResult(Result result, Lease lease) {
        this.result = result;
        this.lease = lease;
    }

    @Override
    public Publisher<Long> getRowsUpdated() {
        return lease.within(result.getRowsUpdated());
    }

    @Override
    public <T> Publisher<T> map(BiFunction<Row, RowMetadata, ? extends T> mapper) {
        return lease.within(result.map(mapper));
    }

    @Override
    public <T> Publisher<T> map(Function<? super Readable, ? extends T> mapper) {
        return lease.within(result.map(mapper));
    }

    @Override
    public Result filter(Predicate<Segment> filter) {
        return new LeasedResult(result.filter(filter), lease);
    }

    @Override
    public <T> Publisher<T> flatMap(Function<Segment, ? extends Publisher<? extends T>> mapper) {
        // The driver releases no segments that it had ready when the mapper failed.
        return lease.within(
                Flux.<T>from(result.flatMap(mapper)).doOnDiscard(RowSegment.class, ReferenceCountUtil::release));
    }

    @Override
    public String toString() {
        return result.toString();
    }
}
