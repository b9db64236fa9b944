package io.reactiverouter.reliability;

import io.reactiverouter.topology.ShardId;
import org.jspecify.annotations.Nullable;

/** What was going on during a part of a run. Each part has its own, which equals no other. */
final class Phase {

    enum Kind {
        /** No fault is in force, and all has been mended. */
        QUIET,
        /** A shard suffers. */
        DOWN,
        /** It should be serving again, while servers are being put in order. */
        MENDING
    }

    private final Kind kind;
    private final @Nullable ShardId shard;
    private final @Nullable Fault fault;

    /**
     * Begins a part.
     *
     * @param shard the one that suffers, null for none or all
     * @param fault what it suffers from, null if there is none in force
     */
    Phase(Kind kind, @Nullable ShardId shard, @Nullable Fault fault) {
        this.kind = kind;
        this.shard = shard;
        this.fault = fault;
    }

    Kind kind() {
        return kind;
    }

    @Nullable ShardId shard() {
        return shard;
    }

    @Nullable Fault fault() {
        return fault;
    }
}
