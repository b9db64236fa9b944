package io.reactiverouter.reliability;

import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** One call of a client. Its id stands in the row that it writes. Written by one thread at a time. */
final class Operation {

    /** What a call does. */
    enum Kind {
        /** Moves an amount between two accounts and enters it into the ledger, in a transaction. */
        TRANSFER(true),
        /** Adds one to the key's counter and notes it, in one statement that commits by itself. */
        INCREMENT(true),
        /** Enters into the ledger after a {@code begin} of its own, and leaves without a commit. */
        ABANDON(true),
        /** Reads all accounts of a key, unless the session says that it is somebody else's. */
        READ(false),
        /** Reads many rows in portions. */
        STREAM(false),
        /** Makes the session the key's, reads by that, and leaves it so. */
        SESSION(false);

        private final boolean writes;

        Kind(boolean writes) {
            this.writes = writes;
        }

        boolean writes() {
            return writes;
        }
    }

    private final long id;
    private final Kind kind;
    private final long user;
    private final ShardId shard;
    private final Duration timeout;
    private final Phase phaseAtBegin;
    private final long begin = System.nanoTime();
    private volatile long lastSignal = begin;
    private volatile long longestWait;
    private volatile boolean committing;
    private volatile long end;
    private volatile @Nullable Outcome outcome;
    private volatile @Nullable String error;
    private volatile @Nullable Phase phaseAtEnd;

    Operation(long id, Kind kind, long user, ShardId shard, Duration timeout, Phase phase) {
        this.id = id;
        this.kind = kind;
        this.user = user;
        this.shard = shard;
        this.timeout = timeout;
        this.phaseAtBegin = phase;
        this.committing = kind == Kind.INCREMENT;
    }

    long id() {
        return id;
    }

    Kind kind() {
        return kind;
    }

    long user() {
        return user;
    }

    ShardId shard() {
        return shard;
    }

    Duration timeout() {
        return timeout;
    }

    long begin() {
        return begin;
    }

    long end() {
        return end;
    }

    @Nullable Outcome outcome() {
        return outcome;
    }

    @Nullable String error() {
        return error;
    }

    /** Notes that a value has come: the time limit of the call counts anew from here. */
    void signal() {
        long now = System.nanoTime();
        longestWait = Math.max(longestWait, now - lastSignal);
        lastSignal = now;
    }

    /** Notes that the work is complete, so that its transaction may be committed from now on. */
    void workIsComplete() {
        committing = kind != Kind.ABANDON;
    }

    /** Says whether a commit may have been sent. */
    boolean committing() {
        return committing;
    }

    void end(Outcome known, @Nullable Throwable why, Phase phase) {
        end = System.nanoTime();
        phaseAtEnd = phase;
        error = why == null ? null : Outcome.describe(why);
        outcome = known;
    }

    /** Returns by how much it has gone over its limit, or would if it ended now. */
    long nanosOverLimit() {
        long until = outcome == null ? System.nanoTime() : end;
        return Math.max(longestWait, until - lastSignal) - timeout.toNanos();
    }

    /** Returns the phase that it was in from begin to end, null if that changed meanwhile. */
    @Nullable Phase phase() {
        return phaseAtBegin == phaseAtEnd ? phaseAtBegin : null;
    }

    @Override
    public String toString() {
        return kind + " " + id + " of key " + user + " on shard " + shard + ", limit " + timeout + ", "
                + (outcome == null ? "under way" : outcome + (error == null ? "" : " (" + error + ")"));
    }
}
