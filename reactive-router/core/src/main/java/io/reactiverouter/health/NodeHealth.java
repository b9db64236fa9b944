package io.reactiverouter.health;

import io.reactiverouter.connection.PoolStatistics;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.NodeRole;
import io.reactiverouter.topology.NodeState;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What one node has said, and what it is taken for. Guarded by the lock of its {@link ShardHealth}. */
final class NodeHealth {

    private final NodeId id;

    private NodeState state = NodeState.HEALTHY;
    private @Nullable Instant since;
    private boolean fenced;

    /** Whether it is ejected because of what calls have met with there. */
    private boolean tripped;

    private int failures;
    private @Nullable String lastError;

    private @Nullable ProbeAnswer answer;
    private long lagBytes;
    private Duration lag = Duration.ZERO;

    private boolean heard;
    private long heardAt;

    /** When it was last seen to have applied everything; meaningless unless it ever was. */
    private long currentAt;

    private boolean everCurrent;

    NodeHealth(NodeId id) {
        this.id = id;
    }

    NodeId id() {
        return id;
    }

    NodeRole role() {
        return answer == null ? NodeRole.UNKNOWN : answer.role();
    }

    boolean is(NodeRole role) {
        return role() == role;
    }

    long timeline() {
        return answer == null ? 0 : answer.timeline();
    }

    long position() {
        return answer == null ? 0 : answer.position();
    }

    Duration latency() {
        return answer == null ? Duration.ZERO : answer.latency();
    }

    @Nullable ProbeAnswer answer() {
        return answer;
    }

    NodeState state() {
        return state;
    }

    long lagBytes() {
        return lagBytes;
    }

    Duration lag() {
        return lag;
    }

    int failures() {
        return failures;
    }

    boolean fenced() {
        return fenced;
    }

    boolean tripped() {
        return tripped;
    }

    /** Says whether its last probe was answered. */
    boolean answers() {
        return failures == 0 && answer != null;
    }

    /** Says whether it has never been heard of, not even by a failure. */
    boolean unheard() {
        return !heard;
    }

    boolean heardSince(long nanoTime) {
        return heard && heardAt - nanoTime >= 0;
    }

    /** Says whether it belongs to a database cluster of PostgreSQL, as far as it has said. */
    boolean isOf(long system) {
        return answer != null && answer.system() == system;
    }

    /**
     * @param behind how many bytes of its primary's log it has not applied
     * @param upToDate whether that is all the log there is
     */
    void answered(ProbeAnswer now, long behind, boolean upToDate, long nanoTime) {
        hear(nanoTime);
        answer = now;
        failures = 0;
        lagBytes = behind;
        lag = upToDate ? current(nanoTime) : age(now.replayAge(), nanoTime);
    }

    private Duration current(long nanoTime) {
        currentAt = nanoTime;
        everCurrent = true;
        return Duration.ZERO;
    }

    /** After a quiet hour its last transaction is an hour old: it cannot be further behind than since it was not behind. */
    private Duration age(@Nullable Duration replayAge, long nanoTime) {
        if (!everCurrent && replayAge == null) {
            // It has not applied anything yet: it has been behind since it was first heard of, at least.
            return current(nanoTime);
        }
        if (!everCurrent) {
            return Objects.requireNonNull(replayAge);
        }
        Duration sinceCurrent = Duration.ofNanos(nanoTime - currentAt);
        return replayAge == null || sinceCurrent.compareTo(replayAge) < 0 ? sinceCurrent : replayAge;
    }

    /** A new primary writes what none of its replicas has seen. */
    void forgetCurrent() {
        everCurrent = false;
    }

    /**
     * @param silent whether it did not serve, rather than refuse this one connection
     */
    void failed(String error, boolean silent, long nanoTime) {
        hear(nanoTime);
        lastError = error;
        failures += silent ? 1 : 0;
    }

    private void hear(long nanoTime) {
        heard = true;
        heardAt = nanoTime;
    }

    /** Returns the state it was in. */
    NodeState enter(NodeState next, Instant now) {
        NodeState before = state;
        if (before != next || since == null) {
            state = next;
            since = now;
        }
        return before;
    }

    void fence(boolean nowFenced) {
        fenced = nowFenced;
    }

    /** Says whether that is a change. */
    boolean trip(boolean open) {
        boolean changes = tripped != open;
        tripped = open;
        return changes;
    }

    NodeStatus status(double errorRate, boolean lost, PoolStatistics connections) {
        return new NodeStatus(
                id,
                state,
                since,
                role(),
                fenced,
                timeline(),
                lagBytes,
                lag,
                latency(),
                failures,
                lastError,
                errorRate,
                tripped,
                lost,
                connections);
    }

    /** Returns it in a few words, for an error. */
    String describe() {
        return id.endpoint() + " (" + role() + ", " + (fenced ? "fenced" : state)
                + (failures > 0 ? ", " + failures + " failures, last: " + lastError : "") + ")";
    }
}
