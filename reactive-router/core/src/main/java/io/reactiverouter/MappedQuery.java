package io.reactiverouter;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.Row;
import io.reactiverouter.scatter.ScatterQuery;
import io.reactiverouter.topology.ShardId;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;

/**
 * A query and what becomes of its rows.
 *
 * @param parameters the values of its parameters on each shard
 */
record MappedQuery<T>(
        Query query, Function<ShardId, @Nullable Object[]> parameters, Function<? super Row, ? extends T> mapper)
        implements ScatterQuery<T> {

    @Override
    public String sql() {
        return query.sql();
    }

    @Override
    public @Nullable Object[] parameters(ShardId shard) {
        return parameters.apply(shard);
    }

    @Override
    public int fetchSize() {
        return query.fetchSize();
    }

    @Override
    public T map(Row row) {
        return Query.requireValue(mapper.apply(row));
    }

    @Override
    public <R> Publisher<R> run(
            Connection connection,
            String sql,
            @Nullable Object[] values,
            int portion,
            Function<? super Row, ? extends R> rowMapper) {
        return query.rewritten(sql, values).fetchSize(portion).fetch(connection, rowMapper);
    }
}
