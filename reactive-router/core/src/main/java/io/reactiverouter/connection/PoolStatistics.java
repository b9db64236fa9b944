package io.reactiverouter.connection;

/**
 * A pool's figures at one moment.
 *
 * @param max connections at most
 * @param allocated connections that are open or being opened
 * @param acquired connections in use
 * @param idle connections that wait for use
 * @param pending callers that wait for a connection
 */
public record PoolStatistics(int max, int allocated, int acquired, int idle, int pending) {

    @Override
    public String toString() {
        return "acquired " + acquired + " of " + max + ", idle " + idle + ", pending " + pending;
    }
}
