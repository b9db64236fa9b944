package io.reactiverouter.topology;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Which nodes of a shard a read goes to. To set one is to say that the call only reads: it may then be run again on another node
 * when its node fails before it has delivered anything. Immutable.
 *
 * @param from which nodes
 * @param maxLag how far a replica may be behind in time, null for no limit but that of the health settings; as of its last
 *     probe, so that what is read can be older by up to the interval of probes
 * @param maxLagBytes how much of its primary's log a replica may not have applied yet, likewise
 * @param hedged whether a second node is asked too when the first lets the call wait for longer than most others
 */
public record ReadPreference(From from, @Nullable Duration maxLag, long maxLagBytes, boolean hedged) {

    /** Which nodes. */
    public enum From {
        /** The primary only. */
        PRIMARY,
        /** Replicas only; an error if none can be used. */
        REPLICA,
        /** Replicas, and the primary if none can be used. */
        PREFER_REPLICA,
        /** Any node: one of the client's region before others, then the one that answers probes fastest. */
        NEAREST
    }

    public ReadPreference {
        Objects.requireNonNull(from, "from must not be null");
        if (maxLag != null && maxLag.isNegative()) {
            throw new IllegalArgumentException("maxLag of a read preference must not be negative, was " + maxLag);
        }
        if (maxLagBytes < 0) {
            throw new IllegalArgumentException(
                    "maxLagBytes of a read preference must not be negative, was " + maxLagBytes);
        }
    }

    /** Reads from the primary. */
    public static ReadPreference primary() {
        return of(From.PRIMARY);
    }

    /** Reads from replicas only. */
    public static ReadPreference replica() {
        return of(From.REPLICA);
    }

    /** Reads from replicas where one can be used. */
    public static ReadPreference preferReplica() {
        return of(From.PREFER_REPLICA);
    }

    /** Reads from the node that is nearest. */
    public static ReadPreference nearest() {
        return of(From.NEAREST);
    }

    /** Reads from these nodes, without limits. */
    public static ReadPreference of(From from) {
        return new ReadPreference(from, null, Long.MAX_VALUE, false);
    }

    /**
     * Leaves out replicas that were further behind at their last probe.
     *
     * @throws IllegalArgumentException if it is negative
     */
    public ReadPreference withMaxLag(Duration limit) {
        return new ReadPreference(from, limit, maxLagBytes, hedged);
    }

    /**
     * Leaves out replicas that were further behind at their last probe.
     *
     * @throws IllegalArgumentException if it is negative
     */
    public ReadPreference withMaxLagBytes(long limit) {
        return new ReadPreference(from, maxLag, limit, hedged);
    }

    /**
     * Asks a second node too when the first has not begun to answer after the time in which 95 of 100 reads of the shard do;
     * whichever begins first goes on. At most as many as the retry budget of the cluster permits.
     */
    public ReadPreference withHedging(boolean on) {
        return new ReadPreference(from, maxLag, maxLagBytes, on);
    }

    /** Says whether a replica may be read from. */
    public boolean allows(Duration lag, long lagBytes) {
        return lagBytes <= maxLagBytes && (maxLag == null || lag.compareTo(maxLag) <= 0);
    }

    /** Says whether it limits how far a replica may be behind. */
    public boolean isLimited() {
        return maxLag != null || maxLagBytes != Long.MAX_VALUE;
    }
}
