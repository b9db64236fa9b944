package io.reactiverouter.connection;

import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * The {@code statement_timeout} of one session, as far as the router has set it. Belongs to whoever has the connection.
 *
 * <p>A value is good for calls with nearly as much time left, so that calls with the same deadline seldom need a round trip:
 * it is rounded up to a step, of four for each power of two, and kept if the next call needs that step or the one below.
 */
final class StatementTimeout {

    /** As when the session was opened: settings, role, database and server have had their say. */
    private static final int AS_OPENED = 0;

    private static final int UNKNOWN = -1;

    /** The caller's own limit comes first, and its error says more than the server's. */
    private static final int MARGIN_MILLIS = 50;

    /** In milliseconds. */
    private volatile int current = AS_OPENED;

    /** The value that the session was opened with, in milliseconds; 0 is none. */
    private volatile int opened = UNKNOWN;

    /** Returns what gives the session the value for a call with this deadline; null if it has it. */
    @Nullable Mono<Void> change(LeasedConnection connection, @Nullable Deadline deadline) {
        int now = current;
        if (deadline == null) {
            return now == AS_OPENED ? null : reset(connection);
        }
        long wanted = step(millis(deadline.remainingNanos()) + MARGIN_MILLIS);
        int own = opened;
        if (wanted > Integer.MAX_VALUE || (own > 0 && own <= wanted)) {
            return now == AS_OPENED ? null : reset(connection);
        }
        if (wanted <= now && now <= step(wanted + 1)) {
            return null;
        }
        return own == UNKNOWN ? first(connection, (int) wanted) : set(connection, (int) wanted);
    }

    /** Notes that all settings of the session have been reset. */
    void wasReset() {
        current = AS_OPENED;
    }

    private static long millis(long nanos) {
        return nanos <= 0 ? 0 : TimeUnit.NANOSECONDS.toMillis(nanos) + 1;
    }

    /** Returns the smallest step that is not less: 1, 1.25, 1.5 or 1.75 times a power of two. */
    static long step(long millis) {
        int power = Long.SIZE - 1 - Long.numberOfLeadingZeros(millis);
        long quarter = 1L << Math.max(0, power - 2);
        return (millis + quarter - 1) / quarter * quarter;
    }

    private Mono<Void> reset(LeasedConnection connection) {
        return send(connection, "reset statement_timeout", AS_OPENED);
    }

    private Mono<Void> set(LeasedConnection connection, int millis) {
        return send(connection, "set statement_timeout = " + millis, millis);
    }

    /** What was sent may have taken effect or not until the server has answered. */
    private Mono<Void> send(LeasedConnection connection, String sql, int value) {
        return Mono.defer(() -> {
                    current = UNKNOWN;
                    return Flux.from(connection.ownStatement(sql).execute())
                            .flatMap(result -> result.getRowsUpdated())
                            .then();
                })
                .doOnSuccess(done -> current = value);
    }

    /** Changes nothing where the session's own value is shorter; gives that, 0 for none. */
    private static String first(int millis) {
        return "select reset_val, pg_catalog.set_config(name, case when reset_val::pg_catalog.int4 between 1 and "
                + millis + " then reset_val else '" + millis
                + "' end, false) from pg_catalog.pg_settings where name = 'statement_timeout'";
    }

    private Mono<Void> first(LeasedConnection connection, int millis) {
        return Mono.defer(() -> {
                    current = UNKNOWN;
                    return Flux.from(connection.ownStatement(first(millis)).execute())
                            .flatMap(result -> result.map((row, metadata) -> row.get(0, String.class)))
                            .single();
                })
                .doOnSuccess(value -> {
                    int own = Integer.parseInt(value);
                    opened = own;
                    current = own > 0 && own <= millis ? AS_OPENED : millis;
                })
                .then();
    }
}
