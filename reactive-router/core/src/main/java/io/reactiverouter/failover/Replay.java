package io.reactiverouter.failover;

/**
 * What may be run again once it has begun. What has not begun may always.
 *
 * @param refused whether after {@link FailureKind#READ_ONLY}, when another node has the writes by now: nothing took effect
 * @param conflict whether after {@link FailureKind#CONFLICT}: nothing took effect
 * @param unknown whether after {@link FailureKind#BROKEN} and {@link FailureKind#REFUSED} too, when it may have taken effect
 * @param times how often at most
 */
public record Replay(boolean refused, boolean conflict, boolean unknown, int times) {

    /** For the caller's own code, which may do other things than to send statements. */
    public static final Replay NEVER = new Replay(false, false, false, 0);

    /** For statements of the router that provably did nothing. */
    static final int TIMES = 2;

    /** For a statement that the router itself sends. */
    public static final Replay STATEMENT = new Replay(true, false, false, TIMES);

    /** For what may take effect twice, or has no effect. */
    public static final Replay IDEMPOTENT = new Replay(true, true, true, TIMES);

    /** For a transaction whose owner has asked for that. */
    public static Replay transaction(int times) {
        return times == 0 ? NEVER : new Replay(true, true, false, times);
    }

    boolean covers(FailureKind kind) {
        return switch (kind) {
            case READ_ONLY -> refused;
            case CONFLICT -> conflict;
            case REFUSED, BROKEN -> unknown;
            case OTHER -> false;
        };
    }
}
