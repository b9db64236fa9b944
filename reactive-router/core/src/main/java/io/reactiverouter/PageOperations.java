package io.reactiverouter;

import io.r2dbc.spi.Row;
import io.reactiverouter.scatter.Page;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/** Scatter-gather page by page, with {@link ScatterOperations#page}. Immutable. */
public interface PageOperations {

    /**
     * Goes on after the page that gave this cursor; null is the first page. The query, but for its parameters, and the order
     * must be the same.
     */
    PageOperations after(@Nullable String cursor);

    /**
     * Reads the page. Fails with {@link io.reactiverouter.scatter.InvalidCursorException} if the cursor was changed, or is of
     * another query, order or key, and with {@link io.reactiverouter.scatter.AmbiguousPageException} if the order does not
     * tell the last row of the page from the first of the next.
     */
    <T> Mono<Page<T>> query(Query query, Function<? super Row, ? extends T> mapper);
}
