package io.reactiverouter.demo.trading;

import io.r2dbc.spi.Readable;

/** What a shard holds. */
record ShardSummary(String shard, long users, long orders, long trades, long positions, long databaseBytes) {

    static ShardSummary from(Readable row, String shard) {
        return new ShardSummary(
                shard,
                OrderView.required(row, 0, Long.class),
                OrderView.required(row, 1, Long.class),
                OrderView.required(row, 2, Long.class),
                OrderView.required(row, 3, Long.class),
                OrderView.required(row, 4, Long.class));
    }

    ShardSummary on(String name) {
        return new ShardSummary(name, users, orders, trades, positions, databaseBytes);
    }
}
