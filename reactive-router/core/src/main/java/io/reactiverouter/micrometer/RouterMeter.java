package io.reactiverouter.micrometer;

import io.micrometer.core.instrument.Meter;
import java.util.List;

/** All meters, each with its tags. Their values are few: no tag is ever a key, a statement or an error's text. */
public enum RouterMeter {
    CALLS(
            "reactiverouter.calls",
            Meter.Type.TIMER,
            "Calls of the application from their subscription to their end: waiting, retries and all shards included",
            "keyspace",
            "kind",
            "operation",
            "outcome"),
    ATTEMPTS(
            "reactiverouter.attempts",
            Meter.Type.TIMER,
            "What nodes do for calls, each attempt from the wait for a connection to the end of its answer",
            "keyspace",
            "shard",
            "role",
            "kind",
            "outcome"),
    FIRST_ROW(
            "reactiverouter.first.row",
            Meter.Type.TIMER,
            "Time of attempts to their first row",
            "keyspace",
            "shard",
            "role",
            "kind"),
    SCATTER_SHARDS(
            "reactiverouter.scatter.shards",
            Meter.Type.DISTRIBUTION_SUMMARY,
            "How many shards a scatter-gather asks",
            "keyspace"),
    ACQUIRE(
            "reactiverouter.acquire",
            Meter.Type.TIMER,
            "Waits for a connection of a pool, with one or in vain",
            "shard",
            "node",
            "outcome"),
    RETRIES(
            "reactiverouter.retries",
            Meter.Type.COUNTER,
            "Statements and transactions that were run again after a failure there",
            "shard",
            "node"),
    HEDGES(
            "reactiverouter.hedges",
            Meter.Type.COUNTER,
            "Reads that were sent to a second node because the first one was slow",
            "shard",
            "node"),
    LEAKS(
            "reactiverouter.leaks",
            Meter.Type.COUNTER,
            "Connections that were out of their pool for longer than the leak threshold",
            "shard",
            "node"),
    FAILOVERS(
            "reactiverouter.failovers",
            Meter.Type.COUNTER,
            "Times at which the writes of a shard went to another node",
            "shard"),
    FENCED("reactiverouter.fenced", Meter.Type.COUNTER, "Nodes that took writes and should not have", "shard", "node"),
    POOL_CONNECTIONS(
            "reactiverouter.pool.connections",
            Meter.Type.GAUGE,
            "Connections of a pool that are in use (acquired), wait for use (idle), or are being opened (opening)",
            "shard",
            "node",
            "state"),
    POOL_MAX("reactiverouter.pool.max", Meter.Type.GAUGE, "Connections of a pool at most", "shard", "node"),
    POOL_PENDING(
            "reactiverouter.pool.pending", Meter.Type.GAUGE, "Callers that wait for a connection", "shard", "node"),
    POOL_OPENED("reactiverouter.pool.opened", Meter.Type.COUNTER, "Connections that were opened", "shard", "node"),
    POOL_CLOSED(
            "reactiverouter.pool.closed",
            Meter.Type.COUNTER,
            "Connections that were closed, by reason",
            "shard",
            "node",
            "reason"),
    POOL_TIMEOUTS(
            "reactiverouter.pool.timeouts",
            Meter.Type.COUNTER,
            "Callers that got no connection in time",
            "shard",
            "node"),
    POOL_REJECTED(
            "reactiverouter.pool.rejected",
            Meter.Type.COUNTER,
            "Callers that were refused because too many waited",
            "shard",
            "node"),
    NODE_HEALTHY(
            "reactiverouter.node.healthy",
            Meter.Type.GAUGE,
            "1 for a healthy node, 0.5 for one that lags, 0 for one that is ejected or fenced",
            "shard",
            "node"),
    NODE_PRIMARY(
            "reactiverouter.node.primary",
            Meter.Type.GAUGE,
            "1 for the node that takes the writes of its shard, else 0",
            "shard",
            "node"),
    NODE_BREAKER(
            "reactiverouter.node.breaker",
            Meter.Type.GAUGE,
            "1 while the node's circuit breaker is open because its calls failed, else 0",
            "shard",
            "node"),
    NODE_ERROR_RATE(
            "reactiverouter.node.error.rate",
            Meter.Type.GAUGE,
            "Which part of the last twenty calls failed with the node, 0 to 1",
            "shard",
            "node"),
    NODE_LATENCY(
            "reactiverouter.node.latency",
            Meter.Type.GAUGE,
            "How long the last probe took, in seconds",
            "shard",
            "node"),
    NODE_LAG(
            "reactiverouter.node.lag",
            Meter.Type.GAUGE,
            "How far a replica is behind its primary, in seconds",
            "shard",
            "node"),
    NODE_LAG_BYTES(
            "reactiverouter.node.lag.bytes",
            Meter.Type.GAUGE,
            "How much log a replica has not applied yet, in bytes",
            "shard",
            "node"),
    KEYSPACE_EPOCH("reactiverouter.keyspace.epoch", Meter.Type.GAUGE, "Epoch of the placement", "keyspace"),
    KEYSPACE_IMBALANCE(
            "reactiverouter.keyspace.imbalance",
            Meter.Type.GAUGE,
            "How far the shard that differs most is from its share of the rows, 0.2 is 20 %; estimated",
            "keyspace"),
    SHARD_ROWS(
            "reactiverouter.shard.rows",
            Meter.Type.GAUGE,
            "Rows of a keyspace on a shard, as its planner estimates",
            "keyspace",
            "shard"),
    SHARD_KEYS(
            "reactiverouter.shard.keys",
            Meter.Type.GAUGE,
            "Distinct sharding keys on a shard, as its planner estimates",
            "keyspace",
            "shard");

    /** The value of a tag for calls that name shards and no keyspace. */
    public static final String NO_KEYSPACE = "none";

    private final String meterName;
    private final Meter.Type type;
    private final String description;
    private final String tags;

    RouterMeter(String meterName, Meter.Type type, String description, String... tags) {
        this.meterName = meterName;
        this.type = type;
        this.description = description;
        this.tags = String.join(",", tags);
    }

    /** Returns the name in Micrometer's spelling. */
    public String meterName() {
        return meterName;
    }

    public Meter.Type type() {
        return type;
    }

    public String description() {
        return description;
    }

    /** Returns the names of its tags. */
    public List<String> tags() {
        return List.of(tags.split(",", -1));
    }
}
