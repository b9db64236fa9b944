package io.reactiverouter.health;

import io.r2dbc.spi.Readable;
import io.reactiverouter.topology.NodeRole;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a node said.
 *
 * @param system which database cluster of PostgreSQL it belongs to, the same for a primary and its replicas
 * @param timeline the timeline it writes, or as a replica follows; if it may not see that ({@code pg_monitor} may), the one of
 *     its last restart point
 * @param position in the write-ahead log: how far it has written, or as a replica applied
 * @param replayAge how long ago the last transaction was made that it has applied as a replica, null if it has applied none
 *     since it was started; zero for a primary
 * @param latency how long the answer took
 */
record ProbeAnswer(
        NodeRole role,
        long system,
        long timeline,
        long position,
        @Nullable Duration replayAge,
        Duration latency) {

    /**
     * A primary's own timeline is in the name of its current log file: that of the control file is older for a while after a
     * promotion.
     */
    static final String QUERY = """
            select r,
              (select system_identifier from pg_control_system()),
              case when r then greatest(
                  (select timeline_id from pg_control_checkpoint()),
                  (select min_recovery_end_timeline from pg_control_recovery()),
                  (select received_tli from pg_stat_get_wal_receiver()))
                else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int end,
              (case when r then coalesce(pg_last_wal_replay_lsn(), '0/0') else pg_current_wal_lsn() end - '0/0')::bigint,
              case when r then (extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000)::bigint
                else 0 end
            from pg_is_in_recovery() r""";

    static ProbeAnswer of(Readable row, Duration latency) {
        return new ProbeAnswer(
                Boolean.TRUE.equals(row.get(0, Boolean.class)) ? NodeRole.REPLICA : NodeRole.PRIMARY,
                number(row.get(1, Long.class)),
                number(row.get(2, Long.class)),
                number(row.get(3, Long.class)),
                age(row.get(4, Long.class)),
                latency);
    }

    private static @Nullable Duration age(@Nullable Long millis) {
        return millis == null ? null : Duration.ofMillis(Math.max(0, millis));
    }

    private static long number(@Nullable Long value) {
        return value == null ? 0 : value;
    }
}
