package io.reactiverouter.scatter;

import io.reactiverouter.connection.CallTimeoutException;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * What has become of each shard in one subscription of a scatter-gather. Each part is written by the signals of its own
 * shard, one at a time, and may be read by any thread.
 */
final class Tally {

    private final Map<ShardId, Part> parts = new LinkedHashMap<>();
    private final AtomicBoolean ended = new AtomicBoolean();

    Tally(List<ShardId> shards) {
        shards.forEach(shard -> parts.put(shard, new Part(shard)));
    }

    Part part(ShardId shard) {
        Part part = parts.get(shard);
        if (part == null) {
            throw new IllegalStateException("shard " + shard + " is not part of this scatter-gather");
        }
        return part;
    }

    /** Says whether this is the first call of it: whoever gets true ends the stream. */
    boolean end() {
        return ended.compareAndSet(false, true);
    }

    /** Returns the outcomes so far; shards that have not ended count as stopped or never asked. */
    ScatterManifest manifest() {
        return new ScatterManifest(parts.values().stream().map(Part::outcome).toList());
    }

    /** Returns the error of the first shard that failed if none has succeeded, the others' errors suppressed in it. */
    @Nullable Throwable errorOfAll() {
        Throwable first = null;
        for (Part part : parts.values()) {
            Throwable error = part.error();
            if (error == null) {
                return null;
            }
            if (first == null) {
                first = error;
            } else if (first != error) {
                first.addSuppressed(error);
            }
        }
        return first;
    }

    /** One shard's part. */
    static final class Part {

        private final ShardId shard;
        private final AtomicLong rows = new AtomicLong();
        private final AtomicReference<@Nullable ShardOutcome> ended = new AtomicReference<>();
        private volatile long startNanos;
        private volatile boolean asked;
        private volatile @Nullable Throwable error;

        private Part(ShardId shard) {
            this.shard = shard;
        }

        void ask() {
            startNanos = System.nanoTime();
            asked = true;
        }

        void add(long count) {
            rows.lazySet(rows.get() + count);
        }

        void complete() {
            ended.compareAndSet(null, new ShardOutcome.Complete(shard, rows.get(), elapsed()));
        }

        void fail(Throwable cause) {
            error = cause;
            ShardOutcome outcome = cause instanceof CallTimeoutException
                    ? new ShardOutcome.TimedOut(shard, rows.get(), elapsed())
                    : new ShardOutcome.Failed(shard, rows.get(), elapsed(), cause);
            ended.compareAndSet(null, outcome);
        }

        @Nullable Throwable error() {
            return error;
        }

        private ShardOutcome outcome() {
            ShardOutcome outcome = ended.get();
            if (outcome != null) {
                return outcome;
            }
            return asked ? new ShardOutcome.Cancelled(shard, rows.get(), elapsed()) : new ShardOutcome.Skipped(shard);
        }

        private Duration elapsed() {
            return Duration.ofNanos(System.nanoTime() - startNanos);
        }
    }
}
