package io.reactiverouter.jmh;

import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.pool.ConnectionPoolConfiguration;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactories;
import io.r2dbc.spi.Row;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Reads with r2dbc-pool and the driver by hand: one query for each shard, the answers merged with Reactor's own operators.
 * Nothing checks that rows come in order, limits the time, or says which shard has failed.
 */
final class HandReader implements OrderReader {

    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final int SCALE_OF_A_MEAN = 16;
    private static final String ORDERS = "select id, customer, amount from orders order by id";
    private static final String LATEST_ORDERS =
            "select id, customer, amount from orders order by id desc limit " + LATEST;
    private static final String COUNT = "select count(*) from orders";
    private static final String TOTALS = "select customer, count(*), sum(amount) from orders group by customer";

    private final List<ConnectionPool> pools;

    /** Connects to the shards at these R2DBC URLs. */
    HandReader(List<String> urls) {
        pools = urls.stream()
                .map(url -> new ConnectionPool(ConnectionPoolConfiguration.builder(ConnectionFactories.get(url))
                        .initialSize(0)
                        .build()))
                .toList();
    }

    @Override
    public Answer scan() {
        return answer(merged(Comparator.comparingLong(Order::id), ORDERS, FETCH_SIZE));
    }

    @Override
    public Answer latest() {
        return answer(merged(Comparator.comparingLong(Order::id).reversed(), LATEST_ORDERS, 0)
                .take(LATEST));
    }

    @Override
    public Answer count() {
        return answer(Flux.merge(all(COUNT, 0, row -> required(row.get(0, Long.class))))
                .reduce(0L, Long::sum)
                .map(Count::new)
                .flux());
    }

    @Override
    public Answer totals() {
        return answer(Flux.merge(all(TOTALS, 0, HandReader::part))
                .collect(Collectors.toMap(Part::customer, part -> part, Part::and, TreeMap::new))
                .flatMapIterable(TreeMap::values)
                .map(Part::total));
    }

    @Override
    public void close() {
        Flux.fromIterable(pools).flatMap(ConnectionPool::disposeLater).then().block(LIMIT);
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private Flux<Order> merged(Comparator<Order> order, String sql, int fetchSize) {
        Flux<Order>[] sources = all(sql, fetchSize, HandReader::order).toArray(new Flux[0]);
        return Flux.mergeComparing(FETCH_SIZE, order, sources);
    }

    private <T> List<Flux<T>> all(String sql, int fetchSize, Function<Row, T> mapper) {
        return pools.stream().map(pool -> rows(pool, sql, fetchSize, mapper)).toList();
    }

    private static <T> Flux<T> rows(ConnectionPool pool, String sql, int fetchSize, Function<Row, T> mapper) {
        return Flux.usingWhen(
                pool.create(),
                connection -> Flux.from(connection
                                .createStatement(sql)
                                .fetchSize(fetchSize)
                                .execute())
                        .concatMap(result -> result.map((row, metadata) -> mapper.apply(row))),
                Connection::close);
    }

    private static Answer answer(Flux<? extends Record> rows) {
        Mono<Answer> answer = rows.reduce(Answer.NONE, Answer::and);
        return required(answer.block(LIMIT));
    }

    private static Order order(Row row) {
        return new Order(
                required(row.get(0, Long.class)),
                required(row.get(1, Integer.class)),
                required(row.get(2, BigDecimal.class)));
    }

    private static Part part(Row row) {
        return new Part(
                required(row.get(0, Integer.class)),
                required(row.get(1, Long.class)),
                required(row.get(2, BigDecimal.class)));
    }

    private static <T> T required(@Nullable T value) {
        return Objects.requireNonNull(value);
    }

    /** What one shard, or several, know of a customer. */
    private record Part(int customer, long orders, BigDecimal amount) {

        Part and(Part other) {
            return new Part(customer, orders + other.orders, amount.add(other.amount));
        }

        Total total() {
            return new Total(
                    customer,
                    orders,
                    amount,
                    amount.divide(BigDecimal.valueOf(orders), SCALE_OF_A_MEAN, RoundingMode.HALF_UP));
        }
    }
}
