package io.reactiverouter.demo.trading;

import io.reactiverouter.Query;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Sample orders, a function of the seed alone. Ids have the form of those that {@link TradingService} gives out, from a
 * past in which it gave out none.
 */
final class SampleOrders {

    private static final String[] SYMBOLS = {"ACME", "BOLT", "CORE", "DYNA", "ECHO", "FLUX", "GRID", "HELIO"};
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    /** Where the time of a TSID begins: 2020-01-01. */
    private static final long ID_EPOCH_MILLIS = 1_577_836_800_000L;

    private static final int ID_TIME_SHIFT = 22;

    private SampleOrders() {}

    /** One order: every eighth rests in the book, the others have traded. */
    record Sample(
            long id,
            long userId,
            String symbol,
            Side side,
            OrderType type,
            long quantity,
            BigDecimal price,
            OffsetDateTime at) {}

    /** Returns the orders in the order of their ids. */
    static List<Sample> generate(LoadProperties load) {
        SplittableRandom random = new SplittableRandom(load.seed());
        List<Sample> samples = new ArrayList<>(load.orders());
        for (int i = 0; i < load.orders(); i++) {
            Instant at = START.plusSeconds(i);
            samples.add(new Sample(
                    (at.toEpochMilli() - ID_EPOCH_MILLIS) << ID_TIME_SHIFT,
                    1 + random.nextInt(load.users()),
                    SYMBOLS[random.nextInt(SYMBOLS.length)],
                    random.nextBoolean() ? Side.BUY : Side.SELL,
                    i % 8 == 7 ? OrderType.LIMIT : OrderType.MARKET,
                    1 + random.nextInt(500),
                    BigDecimal.valueOf(1_0000 + random.nextInt(99_0000), 4),
                    at.atOffset(ZoneOffset.UTC)));
        }
        return samples;
    }

    /** Returns the statement that stores these orders, with their trades, in one round trip. */
    static Query insert(List<Sample> samples) {
        return Query.of(
                "with added as (insert into orders (" + OrderView.COLUMNS + ")"
                        + " select id, user_id, symbol, side, type, quantity, price,"
                        + " case type when 'LIMIT' then 'OPEN' else 'FILLED' end, at"
                        + " from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[],"
                        + " $7::numeric[], $8::timestamptz[]) as t(id, user_id, symbol, side, type, quantity, price, at)"
                        + " returning *)"
                        + " insert into trades select order_id + 1, order_id, user_id, symbol, side, quantity, price,"
                        + " created_at from added where status = 'FILLED'",
                samples.stream().map(Sample::id).toArray(Long[]::new),
                samples.stream().map(Sample::userId).toArray(Long[]::new),
                samples.stream().map(Sample::symbol).toArray(String[]::new),
                samples.stream().map(sample -> sample.side().name()).toArray(String[]::new),
                samples.stream().map(sample -> sample.type().name()).toArray(String[]::new),
                samples.stream().map(Sample::quantity).toArray(Long[]::new),
                samples.stream().map(Sample::price).toArray(BigDecimal[]::new),
                samples.stream().map(Sample::at).toArray(OffsetDateTime[]::new));
    }
}
