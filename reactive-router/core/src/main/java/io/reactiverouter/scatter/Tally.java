package io.reactiverouter.scatter;

import io.reactiverouter.connection.CallTimeoutException;
import io.reactiverouter.observation.CallProgress;
import io.reactiverouter.stream.OnError;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import reactor.core.Exceptions;

/**
 * What has become of each shard in one subscription of a scatter-gather. Each part is written by the signals of its own
 * shard, one at a time, and may be read by any thread.
 */
final class Tally {

    private final Map<ShardId, Part> parts = new LinkedHashMap<>();
    private final AtomicInteger failures = new AtomicInteger();
    private final int tolerated;
    private final CallProgress progress;
    private volatile boolean limitReached;
    private volatile @Nullable Throwable end;

    /** Begins with all these shards not asked yet, of which {@code tolerated} may fail. */
    Tally(List<ShardId> shards, int tolerated, CallProgress progress) {
        shards.forEach(shard -> parts.put(shard, new Part(shard)));
        this.tolerated = tolerated;
        this.progress = progress;
    }

    Part part(ShardId shard) {
        Part part = parts.get(shard);
        if (part == null) {
            throw new IllegalStateException("shard " + shard + " is not part of this scatter-gather");
        }
        return part;
    }

    /** Notes that the answer has all the rows it may have: what the shards do from now on does not count any more. */
    void limitReached() {
        limitReached = true;
    }

    /**
     * Notes a failure and says how its part ends: without more rows if the failure is tolerated, with an error if that is
     * what ends the call, the errors tolerated before suppressed in it. Failures after that one, which is on its way and
     * cancels them, must do nothing: a part that ended would seem to have no more rows, and the merge would go on with those
     * of the others.
     */
    OnError.End failed(Part part, Throwable error) {
        if (limitReached) {
            return OnError.End.COMPLETE;
        }
        part.fail(error);
        int count = failures.incrementAndGet();
        boolean answerless = count == parts.size() && count <= tolerated && isEmpty();
        if (count <= tolerated && !answerless) {
            progress.tolerated(part.shard, error);
            return OnError.End.COMPLETE;
        }
        if (count > tolerated + 1) {
            return OnError.End.NOTHING;
        }
        // An exception that is thrown again and again, as a constant is, must not collect the notes of all calls.
        if (ScatterFailure.of(error).isEmpty()) {
            for (Part other : parts.values()) {
                Throwable before = other.error;
                if (before != null && before != error) {
                    error.addSuppressed(before);
                }
            }
            error.addSuppressed(new ScatterFailure(manifest()));
        }
        end = error;
        return OnError.End.error(error);
    }

    /** Throws the error that ends the call: a row that comes together with it must not make the answer complete. */
    void check() {
        Throwable error = end;
        if (error != null) {
            throw Exceptions.propagate(error);
        }
    }

    boolean isLimitReached() {
        return limitReached;
    }

    boolean hasFailures() {
        return failures.get() > 0;
    }

    private boolean isEmpty() {
        return parts.values().stream().allMatch(part -> part.rows.get() == 0);
    }

    /** Returns the outcomes so far; shards that have not ended count as stopped or never asked. */
    ScatterManifest manifest() {
        return new ScatterManifest(parts.values().stream().map(Part::outcome).toList());
    }

    /** One shard's part. */
    final class Part {

        private final ShardId shard;
        private final AtomicLong rows = new AtomicLong();
        private final AtomicReference<@Nullable ShardOutcome> ended = new AtomicReference<>();
        private volatile long startNanos;
        private volatile boolean asked;
        private volatile @Nullable Duration firstRow;
        private volatile @Nullable Throwable error;

        private Part(ShardId shard) {
            this.shard = shard;
        }

        void ask() {
            startNanos = System.nanoTime();
            asked = true;
        }

        /** Counts a row; says whether it is the first. */
        boolean row() {
            long before = rows.get();
            rows.lazySet(before + 1);
            if (before != 0) {
                return false;
            }
            firstRow = elapsed();
            return true;
        }

        /** Counts rows that a statement has written. */
        void written(long count) {
            rows.lazySet(count);
        }

        void complete() {
            ended.compareAndSet(null, new ShardOutcome.Complete(shard, rows.get(), firstRow, elapsed()));
        }

        private void fail(Throwable cause) {
            error = cause;
            ShardOutcome outcome = cause instanceof CallTimeoutException
                    ? new ShardOutcome.TimedOut(shard, rows.get(), firstRow, elapsed())
                    : new ShardOutcome.Failed(shard, rows.get(), firstRow, elapsed(), cause);
            ended.compareAndSet(null, outcome);
        }

        private ShardOutcome outcome() {
            ShardOutcome outcome = ended.get();
            if (outcome != null) {
                return outcome;
            }
            if (limitReached) {
                return new ShardOutcome.Limited(shard, rows.get(), firstRow, asked ? elapsed() : Duration.ZERO);
            }
            return asked
                    ? new ShardOutcome.Cancelled(shard, rows.get(), firstRow, elapsed())
                    : new ShardOutcome.Skipped(shard);
        }

        private Duration elapsed() {
            return Duration.ofNanos(System.nanoTime() - startNanos);
        }
    }
}
