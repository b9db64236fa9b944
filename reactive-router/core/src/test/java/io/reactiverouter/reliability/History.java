package io.reactiverouter.reliability;

import io.reactiverouter.reliability.Operation.Kind;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** All that clients did, saw and know. Thread-safe. */
final class History {

    /** Beyond the time limit of a call, and whatever the JVM stood still meanwhile. */
    private static final Duration GRACE = Duration.ofSeconds(1);

    private final AtomicLong ids = new AtomicLong();
    private final Queue<Operation> ended = new ConcurrentLinkedQueue<>();
    private final Set<Operation> open = ConcurrentHashMap.newKeySet();
    private final Map<Violation, Queue<String>> violations = new ConcurrentHashMap<>();
    private final Map<ShardId, AtomicLong> acknowledged = new ConcurrentHashMap<>();
    private final Stalls stalls;
    private volatile Phase phase = new Phase(Phase.Kind.MENDING, null, null);

    History(Stalls stalls) {
        this.stalls = stalls;
    }

    Operation begin(Kind kind, long user, ShardId shard, Duration timeout) {
        Operation operation = new Operation(ids.incrementAndGet(), kind, user, shard, timeout, phase);
        open.add(operation);
        return operation;
    }

    void end(Operation operation, Outcome outcome, @Nullable Throwable error) {
        operation.end(outcome, error, phase);
        open.remove(operation);
        ended.add(operation);
        if (outcome == Outcome.ACKNOWLEDGED) {
            acknowledged
                    .computeIfAbsent(operation.shard(), added -> new AtomicLong())
                    .incrementAndGet();
        }
        if (isTooLate(operation)) {
            violation(
                    Violation.LATE,
                    "it ended " + Duration.ofNanos(operation.nanosOverLimit()) + " after its limit: " + operation);
        }
    }

    private boolean isTooLate(Operation operation) {
        return operation.nanosOverLimit() > GRACE.toNanos() + stalls.since(operation.begin());
    }

    /** Returns those that should have ended by now. */
    List<Operation> hung() {
        return open.stream().filter(this::isTooLate).toList();
    }

    List<Operation> open() {
        return List.copyOf(open);
    }

    List<Operation> ended() {
        return List.copyOf(ended);
    }

    /** Returns how many operations of a shard have succeeded. */
    long acknowledged(ShardId shard) {
        AtomicLong count = acknowledged.get(shard);
        return count == null ? 0 : count.get();
    }

    void violation(Violation kind, String what) {
        violations.computeIfAbsent(kind, added -> new ConcurrentLinkedQueue<>()).add(what);
    }

    /** Returns what must not have been, in words. */
    Map<Violation, List<String>> violations() {
        Map<Violation, List<String>> found = new EnumMap<>(Violation.class);
        violations.forEach((kind, all) -> found.put(kind, List.copyOf(all)));
        return found;
    }

    void phase(Phase now) {
        phase = now;
    }
}
