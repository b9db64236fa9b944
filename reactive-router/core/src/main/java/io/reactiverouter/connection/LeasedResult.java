package io.reactiverouter.connection;

import io.r2dbc.spi.Result;
import io.r2dbc.spi.Row;
import io.r2dbc.spi.RowMetadata;
import io.reactiverouter.connection.ResultReader.Rest;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import org.reactivestreams.Publisher;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A result of a {@link LeasedStatement}. */
final class LeasedResult implements Result {

    private final Result result;
    private final Lease lease;
    private final Rest rest;

    /** Whether a parameter arrives piece by piece; the driver does not release the pieces when the next one is an error. */
    private final boolean large;

    private final ResultFilter filter;

    /**
     * Creates a result.
     *
     * @param rest what becomes of what a reader leaves
     */
    LeasedResult(Result result, Lease lease, Rest rest, boolean large) {
        this(result, lease, rest, large, ResultFilter.NONE);
    }

    private LeasedResult(Result result, Lease lease, Rest rest, boolean large, ResultFilter filter) {
        this.result = result;
        this.lease = lease;
        this.rest = rest;
        this.large = large;
        this.filter = filter;
    }

    @Override
    public Publisher<Long> getRowsUpdated() {
        Mono<Long> count = filter.count(result, rest != Rest.READ);
        return lease.within(large ? count.contextWrite(Lease::releasingPieces) : count);
    }

    @Override
    public <T> Publisher<T> map(BiFunction<Row, RowMetadata, ? extends T> mapper) {
        return read(rest, mapping -> mapping.rows(result, mapper));
    }

    /** A driver that is cancelled can lose a segment: it is cancelled only where the rest would be more than a portion. */
    @Override
    public <T> Publisher<T> flatMap(Function<Segment, ? extends Publisher<? extends T>> mapper) {
        return read(rest == Rest.CLOSED ? rest : Rest.READ, mapping -> mapping.segments(result, mapper));
    }

    private <T> Publisher<T> read(Rest left, Function<ResultMapping<T>, Publisher<?>> source) {
        return lease.within(new Flux<T>() {
            @Override
            public void subscribe(CoreSubscriber<? super T> actual) {
                ResultReader<T> reader = new ResultReader<>(actual, lease.unread(), left, null);
                Publisher<?> elements = source.apply(new ResultMapping<>(reader, filter));
                reader.read(large ? Flux.from(elements).contextWrite(Lease::releasingPieces) : elements);
            }
        });
    }

    @Override
    public Result filter(Predicate<Segment> more) {
        return new LeasedResult(result, lease, rest, large, filter.and(more));
    }

    @Override
    public String toString() {
        return result.toString();
    }
}
