package io.reactiverouter.scatter;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.Row;
import io.reactiverouter.topology.ShardId;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;

/** A query for several shards, which can run in another form than the caller wrote, as with an order or a limit. */
public interface ScatterQuery<T> {

    String sql();

    /** Returns the values of {@code $1} and so on for a shard; not a copy. */
    @Nullable Object[] parameters(ShardId shard);

    /** Returns how many rows the server sends at once, 0 for all. */
    int fetchSize();

    /** Returns what the caller makes of a row. */
    T map(Row row);

    /** Runs other SQL in place of this query's, whose rows the server sends {@code fetchSize} at once, 0 for all. */
    <R> Publisher<R> run(
            Connection connection,
            String sql,
            @Nullable Object[] parameters,
            int fetchSize,
            Function<? super Row, ? extends R> mapper);
}
