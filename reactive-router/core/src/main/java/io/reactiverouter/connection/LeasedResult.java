package io.reactiverouter.connection;

import io.r2dbc.spi.Readable;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Row;
import io.r2dbc.spi.RowMetadata;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import org.reactivestreams.Publisher;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;

/** A result of a {@link LeasedStatement}. */
final class LeasedResult implements Result {

    private final Result result;
    private final Lease lease;
    private final ResultFilter filter;

    LeasedResult(Result result, Lease lease) {
        this(result, lease, ResultFilter.NONE);
    }

    private LeasedResult(Result result, Lease lease, ResultFilter filter) {
        this.result = result;
        this.lease = lease;
        this.filter = filter;
    }

    @Override
    public Publisher<Long> getRowsUpdated() {
        return lease.within(filter.count(result, true));
    }

    @Override
    public <T> Publisher<T> map(BiFunction<Row, RowMetadata, ? extends T> mapper) {
        return read(reader -> reader.rows(result, mapper));
    }

    @Override
    public <T> Publisher<T> map(Function<? super Readable, ? extends T> mapper) {
        return read(reader -> reader.rows(result, mapper));
    }

    @Override
    public <T> Publisher<T> flatMap(Function<Segment, ? extends Publisher<? extends T>> mapper) {
        return read(reader -> reader.segments(result, mapper));
    }

    private <T> Publisher<T> read(Function<ResultReader<T>, Publisher<?>> source) {
        return lease.within(new Flux<T>() {
            @Override
            public void subscribe(CoreSubscriber<? super T> actual) {
                ResultReader<T> reader = ResultReader.ofRows(actual, lease.unread(), filter);
                reader.read(source.apply(reader));
            }
        });
    }

    @Override
    public Result filter(Predicate<Segment> more) {
        return new LeasedResult(result, lease, filter.and(more));
    }

    @Override
    public String toString() {
        return result.toString();
    }
}
