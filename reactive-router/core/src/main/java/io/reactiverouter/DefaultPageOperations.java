package io.reactiverouter;

import io.r2dbc.spi.Row;
import io.reactiverouter.scatter.Page;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/** Pages of {@code operations}, whose limit is the size of a page. */
record DefaultPageOperations(
        DefaultScatterOperations operations, @Nullable String cursor) implements PageOperations {

    @Override
    public PageOperations after(@Nullable String newCursor) {
        return new DefaultPageOperations(operations, newCursor);
    }

    @Override
    public <T> Mono<Page<T>> query(Query query, Function<? super Row, ? extends T> mapper) {
        return operations.page(query, mapper, cursor);
    }
}
