package io.reactiverouter.demo.trading;

import static io.reactiverouter.order.SortKey.desc;

import io.hypersistence.tsid.TSID;
import io.r2dbc.spi.Connection;
import io.reactiverouter.Query;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.aggregate.Aggregation;
import io.reactiverouter.scatter.Gathered;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.topology.ReadPreference;
import java.math.BigDecimal;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Service;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Places orders and reads them, each on the shard of its user, or over all shards. */
@Service
class TradingService {

    /** Replicas where there are some: {@code demo.replicas}. */
    private static final ReadPreference READS = ReadPreference.preferReplica();

    /** What a single-shard call may take, the wait for a connection included. */
    private static final Duration LIMIT = Duration.ofSeconds(5);

    /** How long a shard may take for its part of an answer that needs all rows. */
    private static final Duration SCATTER_LIMIT = Duration.ofSeconds(30);

    private static final Query ALL_ORDERS = Query.of("select " + OrderView.COLUMNS + " from orders");
    private static final Query TRADED = Query.of("select symbol, quantity, quantity * price as amount from trades");
    private static final Aggregation VOLUME = Aggregation.groupBy("symbol")
            .count("trades")
            .sum("quantity", "quantity")
            .sum("amount", "amount");

    private final ShardRouter router;
    private final TSID.Factory ids = TSID.Factory.builder().build();
    private final Clock clock = Clock.systemUTC();

    TradingService(ShardRouter router) {
        this.router = router;
    }

    /** Stores the order, and for a market order its trade and the new position, in one transaction. */
    Mono<OrderView> place(OrderRequest request) {
        ShardKey user = ShardKey.of(request.userId());
        return Mono.defer(() -> {
            boolean trades = request.typeOrDefault() == OrderType.MARKET;
            OrderView order = new OrderView(
                    Long.toString(ids.generate().toLong()),
                    request.userId(),
                    request.symbol(),
                    request.side(),
                    request.typeOrDefault(),
                    request.quantity(),
                    request.price().setScale(4),
                    trades ? OrderStatus.FILLED : OrderStatus.OPEN,
                    Instant.now(clock).truncatedTo(ChronoUnit.MICROS),
                    router.route(user).shard().value());
            return router.shard(user)
                    .timeout(LIMIT)
                    .inTransaction(connection -> store(connection, order)
                            .then(trades ? trade(connection, order) : Mono.empty())
                            .thenReturn(order));
        });
    }

    private static Mono<Long> store(Connection connection, OrderView order) {
        return Query.of("insert into users (user_id) values ($1) on conflict do nothing", order.userId())
                .update(connection)
                .then(Query.of(
                                "insert into orders (" + OrderView.COLUMNS
                                        + ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                                Long.parseLong(order.orderId()),
                                order.userId(),
                                order.symbol(),
                                order.side().name(),
                                order.type().name(),
                                order.quantity(),
                                order.price(),
                                order.status().name(),
                                at(order.createdAt()))
                        .update(connection));
    }

    private Mono<Long> trade(Connection connection, OrderView order) {
        long signed = order.side().signed(order.quantity());
        return Query.of(
                        "insert into trades values ($1, $2, $3, $4, $5, $6, $7, $8)",
                        ids.generate().toLong(),
                        Long.parseLong(order.orderId()),
                        order.userId(),
                        order.symbol(),
                        order.side().name(),
                        order.quantity(),
                        order.price(),
                        at(order.createdAt()))
                .update(connection)
                .then(Query.of(
                                "insert into positions values ($1, $2, $3, $4) on conflict (user_id, symbol) do update"
                                        + " set quantity = positions.quantity + excluded.quantity,"
                                        + " cost = positions.cost + excluded.cost",
                                order.userId(),
                                order.symbol(),
                                signed,
                                order.price().multiply(BigDecimal.valueOf(signed)))
                        .update(connection));
    }

    private static OffsetDateTime at(Instant instant) {
        return instant.atOffset(ZoneOffset.UTC);
    }

    /** Returns a user's latest orders. */
    Flux<OrderView> ordersOf(long userId, int limit) {
        ShardKey user = ShardKey.of(userId);
        String shard = router.route(user).shard().value();
        return router.shard(user)
                .reading(READS)
                .timeout(LIMIT)
                .query(
                        Query.of(
                                        "select " + OrderView.COLUMNS
                                                + " from orders where user_id = $1 order by order_id desc limit $2",
                                        userId,
                                        limit)
                                .fetchSize(0),
                        row -> OrderView.from(row, shard));
    }

    /** Returns what a user holds, by symbol. */
    Flux<Position> positionsOf(long userId) {
        return router.shard(ShardKey.of(userId))
                .reading(READS)
                .timeout(LIMIT)
                .query(
                        Query.of(
                                "select symbol, quantity, cost from positions where user_id = $1 order by symbol",
                                userId),
                        Position::from);
    }

    /** Returns a page of the orders of all shards, latest first. */
    Mono<OrderPage> page(int size, @Nullable String after) {
        return router.allShards()
                .reading(READS)
                .shardTimeout(LIMIT)
                .orderBy(desc("order_id"))
                .page(size)
                .after(after)
                .query(ALL_ORDERS, row -> OrderView.from(row, ""))
                .map(page ->
                        new OrderPage(page.rows().stream().map(this::onItsShard).toList(), page.next()));
    }

    private OrderView onItsShard(OrderView order) {
        return order.on(router.route(ShardKey.of(order.userId())).shard().value());
    }

    /** Returns the volume of each symbol over all shards: each shard sums up its own, the router adds the sums. */
    Flux<Volume> volume() {
        return router.allShards()
                .reading(READS)
                .shardTimeout(SCATTER_LIMIT)
                .aggregate(TRADED, VOLUME)
                .map(Volume::from);
    }

    /** Returns what each shard holds, in the order of the shards. */
    Flux<ShardSummary> shards() {
        return router.allShards()
                .shardTimeout(SCATTER_LIMIT)
                .gather(
                        Query.of("select (select count(*) from users), (select count(*) from orders),"
                                + " (select count(*) from trades), (select count(*) from positions),"
                                + " pg_database_size(current_database())"),
                        row -> ShardSummary.from(row, ""))
                .<ShardSummary>handle((element, sink) -> {
                    if (element instanceof Gathered.Row<ShardSummary> row) {
                        sink.next(row.value().on(row.shard().value()));
                    }
                })
                .sort((left, right) -> left.shard().compareTo(right.shard()));
    }
}
