package io.reactiverouter.observation;

import org.jspecify.annotations.Nullable;

/**
 * What an application asks for. Immutable; holds no parameters. Keyspace, kind and operation have few values.
 *
 * @param keyspace whose rows it is about, null if it names shards
 * @param kind whether it is for one shard or for several
 * @param operation the method that was called: {@code query} (also for {@code queryOne}), {@code update}, {@code batch},
 *     {@code transaction}, {@code connection}, {@code gather}, {@code page}, {@code reduce}, {@code aggregate},
 *     {@code execute}
 * @param sql the statement as its caller wrote it, null if the caller's function decides; of a lookup or an ordered scatter the
 *     shards get more than that
 */
public record CallInfo(
        @Nullable String keyspace,
        CallKind kind,
        String operation,
        @Nullable String sql) {}
