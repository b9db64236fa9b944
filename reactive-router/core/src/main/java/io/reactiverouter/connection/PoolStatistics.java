package io.reactiverouter.connection;

import io.reactiverouter.observation.CloseReason;
import java.util.Map;

/**
 * A pool's figures: some of one moment, and counts since the start of the cluster. They are read one after the other while the
 * pool goes on working, so that they can differ by what happens in between. Probes of the node's health have a connection of
 * their own, which counts nowhere here.
 *
 * @param max connections at most
 * @param allocated connections that are open or being opened
 * @param acquired connections in use
 * @param idle connections that wait for use
 * @param pending callers that wait for a connection
 * @param waits callers who found all connections in use and no room for another one; counted when their wait ends, however it
 *     ends: with a connection, a timeout, a refusal, or because they leave. For whom a connection was opened has not waited in
 *     this sense, see {@code opened}
 * @param timeouts callers who got {@link AcquireTimeoutException}, while all connections were in use or one was being opened
 * @param rejected callers who got {@link PoolExhaustedException}; they are among the waits
 * @param opened connections to which the server has said that it is ready; attempts that came to nothing are not among them
 * @param closed how many of the opened are closed, by reason; has all reasons. Counted when the socket is closed
 */
public record PoolStatistics(
        int max,
        int allocated,
        int acquired,
        int idle,
        int pending,
        long waits,
        long timeouts,
        long rejected,
        long opened,
        Map<CloseReason, Long> closed) {

    /** Returns how many connections were closed for this reason. */
    public long closed(CloseReason reason) {
        return closed.getOrDefault(reason, 0L);
    }

    /**
     * Says whether nobody has a connection or waits for one, as it should be when all calls have ended. After a cancel or an
     * error a connection comes back some milliseconds later, at most about eight seconds: tests wait for this.
     */
    public boolean isAtRest() {
        return acquired == 0 && pending == 0;
    }

    /** Shows the figures of the moment. */
    @Override
    public String toString() {
        return "acquired " + acquired + " of " + max + ", idle " + idle + ", pending " + pending;
    }
}
