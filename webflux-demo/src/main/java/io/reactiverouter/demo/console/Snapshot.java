package io.reactiverouter.demo.console;

import java.time.Instant;
import java.util.List;

/**
 * What the page is told of one moment.
 *
 * @param epoch of the placement: when it changes the slots may have moved
 * @param shards in the order of the cluster
 * @param calls the latest calls, the last to end first
 * @param failures the latest calls that failed
 */
record Snapshot(
        Instant at,
        String keyspace,
        long epoch,
        List<ShardCard> shards,
        List<EndedCall> calls,
        List<EndedCall> failures) {}
