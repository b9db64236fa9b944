package io.reactiverouter.connection;

import java.time.Duration;

/**
 * The moment at which a whole call has to be over, whatever it is doing then.
 *
 * @param limit the time that the call had
 * @param endNanos its end in nanoseconds of {@link System#nanoTime()}
 */
public record Deadline(Duration limit, long endNanos) {

    /** Returns the deadline of a call that begins now. */
    public static Deadline after(Duration limit) {
        return new Deadline(limit, System.nanoTime() + limit.toNanos());
    }

    /** Returns the time left in nanoseconds, 0 or less if it is over. */
    public long remainingNanos() {
        return endNanos - System.nanoTime();
    }
}
