package io.reactiverouter.demo.console;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A call of the application that has ended. It has no parameters, and of an error what kind it is: messages of databases quote
 * values and statements.
 *
 * @param number ascending in the order in which calls ended
 * @param keyspace null for a call that names shards
 * @param kind single or scatter
 * @param outcome success, error, cancelled, or partial: without a shard that failed
 * @param shards those that were asked, in their order
 * @param error the class of the error, null without one
 * @param sqlState the server's code for it, null if there is none
 * @param sql the statement, null unless {@code reactive-router.observability.show-sql} is on
 */
record EndedCall(
        long number,
        Instant at,
        @Nullable String keyspace,
        String kind,
        String operation,
        String outcome,
        List<String> shards,
        double millis,
        @Nullable String error,
        @Nullable String sqlState,
        @Nullable String sql) {

    EndedCall {
        shards = List.copyOf(shards);
    }
}
