package io.reactiverouter.jmh;

import static io.reactiverouter.order.SortKey.asc;
import static io.reactiverouter.order.SortKey.desc;

import io.r2dbc.spi.Row;
import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.aggregate.AggregateRow;
import io.reactiverouter.aggregate.Aggregation;
import io.reactiverouter.topology.Shard;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Reads through Reactive Router with its default settings. Counts and totals are few rows and need no portions, as they need
 * none in {@link ShardingSphereReader}: PostgreSQL aggregates in parallel only if it may send the whole result at once.
 */
final class RouterReader implements OrderReader {

    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final Query ORDERS =
            Query.of("select id, customer, amount from orders").fetchSize(FETCH_SIZE);
    private static final Aggregation TOTALS = Aggregation.groupBy("customer")
            .count("orders")
            .sum("amount", "total")
            .avg("amount", "mean");
    private static final Aggregation COUNT = Aggregation.ofAll().count("orders");

    private final ShardCluster cluster;

    /** Connects to the shards at these R2DBC URLs. */
    RouterReader(List<String> urls) {
        ShardCluster.Builder builder = ShardCluster.builder();
        for (int i = 0; i < urls.size(); i++) {
            builder.shard(Shard.named("s" + i).primary(urls.get(i)));
        }
        cluster = builder.build();
    }

    @Override
    public Answer scan() {
        return required(cluster.allShards()
                .orderBy(asc("id"))
                .query(ORDERS, RouterReader::order)
                .reduce(Answer.NONE, Answer::and)
                .block(LIMIT));
    }

    @Override
    public Answer latest() {
        return required(cluster.allShards()
                .orderBy(desc("id"))
                .limit(LATEST)
                .query(ORDERS, RouterReader::order)
                .reduce(Answer.NONE, Answer::and)
                .block(LIMIT));
    }

    @Override
    public Answer count() {
        return required(cluster.allShards()
                .aggregate(ORDERS.fetchSize(0), COUNT)
                .map(row -> new Count(required(row.get("orders", Long.class))))
                .reduce(Answer.NONE, Answer::and)
                .block(LIMIT));
    }

    @Override
    public Answer totals() {
        return required(cluster.allShards()
                .aggregate(ORDERS.fetchSize(0), TOTALS)
                .map(RouterReader::total)
                .reduce(Answer.NONE, Answer::and)
                .block(LIMIT));
    }

    @Override
    public void close() {
        cluster.close().block(LIMIT);
    }

    private static Order order(Row row) {
        return new Order(
                required(row.get(0, Long.class)),
                required(row.get(1, Integer.class)),
                required(row.get(2, BigDecimal.class)));
    }

    private static Total total(AggregateRow row) {
        return new Total(
                required(row.get("customer", Integer.class)),
                required(row.get("orders", Long.class)),
                required(row.get("total", BigDecimal.class)),
                required(row.get("mean", BigDecimal.class)));
    }

    private static <T> T required(@Nullable T value) {
        return Objects.requireNonNull(value);
    }
}
