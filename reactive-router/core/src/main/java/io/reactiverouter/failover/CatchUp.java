package io.reactiverouter.failover;

import io.r2dbc.spi.Connection;
import io.reactiverouter.topology.NodeId;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Waits on a replica, on the connection of a read, until the replica has applied what the read must see. */
final class CatchUp {

    /** Null where it has been promoted meanwhile, and has all that it will ever have. */
    private static final String APPLIED =
            "select case when pg_is_in_recovery() then (pg_last_wal_replay_lsn() - '0/0')::bigint end";

    private static final Duration PAUSE = Duration.ofMillis(10);

    private CatchUp() {}

    /** Returns how far it is, at least {@code position}; fails with {@link NotCaughtUpException} if it is not in time. */
    static Mono<Long> await(NodeId node, Connection connection, long position, Duration limit) {
        long end = System.nanoTime() + limit.toNanos();
        return Mono.defer(() -> applied(connection))
                .repeatWhen(rounds -> rounds.delayElements(PAUSE))
                .filter(applied -> applied >= position || System.nanoTime() - end >= 0)
                .next()
                .flatMap(applied -> applied >= position
                        ? Mono.just(applied)
                        : Mono.error(new NotCaughtUpException(
                                node,
                                "it has not applied the caller's last write within "
                                        + TimeUnit.NANOSECONDS.toMillis(limit.toNanos()) + " ms")));
    }

    private static Mono<Long> applied(Connection connection) {
        return Flux.from(connection.createStatement(APPLIED).execute())
                .concatMap(result -> result.map(row -> {
                    Long applied = row.get(0, Long.class);
                    return applied == null ? 0 : applied;
                }))
                .next();
    }
}
