package io.reactiverouter.test;

import java.time.Duration;

/**
 * One running PostgreSQL server of a shard, and what can happen to it. Each method returns when the server is in its new
 * state, and leaves other servers alone. Thread-safe; methods block.
 *
 * <p>A server keeps its host, port and data over all of this, except that {@link #follow} makes its data anew.
 */
public interface ShardServer {

    /** Returns how clients reach the server, through its {@link #network()} if there is one. */
    ShardNode node();

    /** Says whether the server's processes run; true for one that is paused. */
    boolean running();

    /**
     * Ends all processes of the server with SIGKILL, as a crash of its machine would, but for what the machine had written:
     * the data are as they were at that moment. Connections break. Does nothing if it does not run.
     */
    void kill();

    /**
     * Stops the server in order ("fast"): open transactions are rolled back, connections are closed with SQLSTATE 57P01.
     * Does nothing if it does not run.
     *
     * @throws IllegalStateException if it does not end within 60 s, or is paused
     */
    void stop();

    /**
     * Starts the server again after {@link #kill()} or {@link #stop()}, with the role that it had. Does nothing if it runs.
     *
     * @throws IllegalStateException if it does not answer within 60 s; the message shows the end of its log
     */
    void start();

    /** {@linkplain #stop() Stops} and {@linkplain #start() starts} the server. */
    default void restart() {
        stop();
        start();
    }

    /**
     * Stops all processes of the server in their tracks (SIGSTOP): connections stay open, new ones are accepted by the
     * system, and nothing answers.
     *
     * @throws IllegalStateException if it does not run
     */
    void pause();

    /** Lets a paused server go on where it was. Does nothing if it is not paused. */
    void resume();

    /**
     * Makes a standby a primary, on a new timeline, and returns when it takes writes. The old primary, if it runs, goes on
     * taking writes too: that is for the test to arrange.
     *
     * @throws IllegalStateException if it is no standby, or is not promoted within 60 s
     */
    void promote();

    /**
     * Makes this server a standby of another one of its shard, with a fresh copy of the other's data. What only this
     * server had is gone. For an old primary that comes back, and for standbys after another one was promoted.
     *
     * @throws IllegalArgumentException if the other one is this one or belongs to another shard
     * @throws IllegalStateException if the other does not run, or this one does not start; where no copy could be made, this
     *     one has its own data still, and is down
     */
    void follow(ShardServer primary);

    /**
     * Lets a standby apply each commit only this long after it was made; zero, the default, at once. As long as it stays
     * connected to its primary commits reach it at once all the same, and none is missing after {@link #promote()}. Precise
     * to a millisecond.
     *
     * @throws IllegalArgumentException if the time is negative or over 24 days
     * @throws IllegalStateException if it is no standby that runs
     */
    void replicationDelay(Duration delay);

    /**
     * Returns when this standby has applied all that the other server, on its timeline, has written until now.
     *
     * @throws IllegalStateException if it has not within 30 s, or is no standby that runs
     */
    void awaitReplayOf(ShardServer primary);

    /**
     * Returns the network between clients and the server. Replication goes past it.
     *
     * @throws IllegalStateException if the shards were made without networks
     */
    Network network();
}
