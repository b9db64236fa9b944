package io.reactiverouter.test;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.sql.SQLException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What is the same for servers wherever they run: which of a server's states allows what, and what is asked of it over
 * connections. The methods of work on the server itself reach it directly, past its network. One thing happens to it at a
 * time.
 */
abstract class ManagedServer implements ShardServer, AutoCloseable {

    private static final Duration MAX_DELAY = Duration.ofMillis(Integer.MAX_VALUE);

    private final @Nullable Network network;
    private final boolean networkOffered;
    // Written under the lock of this server, and read by others that follow it.
    private volatile ShardNode direct;
    private volatile boolean paused;
    private boolean closed;

    /**
     * @param direct how the server itself is reached
     * @param network between clients and the server; null for none
     * @param networkOffered whether tests may use it
     */
    ManagedServer(ShardNode direct, @Nullable Network network, boolean networkOffered) {
        this.direct = direct;
        this.network = network;
        this.networkOffered = networkOffered;
    }

    /** Says whether the server's processes run, without its lock. */
    abstract boolean alive();

    /** Ends all processes of the server, which runs, with SIGKILL. */
    abstract void crash() throws IOException;

    /** Stops the server, which runs, in order. */
    abstract void shutDown() throws IOException;

    /** Is told that the server does not run any more, or did not when it was to be stopped. */
    abstract void wentDown() throws IOException;

    /** Starts the server and returns, when it answers, how it is reached from now on. */
    abstract ShardNode launch() throws IOException;

    /** Stops all processes in their tracks. */
    abstract void freeze() throws IOException;

    /** Lets them go on. */
    abstract void thaw() throws IOException;

    /**
     * Has this server, which does not run, be a standby of another one from its next start on.
     *
     * @param primary of the same shard, and so of the same kind
     */
    abstract void becomeCopyOf(ManagedServer primary) throws IOException, SQLException;

    /** Ends the server, with force if it does not answer, with all that it has. */
    abstract void remove() throws IOException;

    /** Returns how the server itself is reached. */
    final ShardNode direct() {
        return direct;
    }

    final boolean paused() {
        return paused;
    }

    @Override
    public final ShardNode node() {
        return network == null ? direct : direct.withAddress(Network.HOST, network.port());
    }

    @Override
    public final synchronized boolean running() {
        return alive();
    }

    @Override
    public final synchronized void kill() {
        if (alive()) {
            attempt("could not be killed", this::crash);
        }
        leave();
    }

    @Override
    public final synchronized void stop() {
        if (alive()) {
            requireNotPaused("stop");
            attempt("could not be stopped", this::shutDown);
        }
        leave();
    }

    /** Its port stays the server's own while it is down, and refuses connections. */
    private void leave() {
        if (closed) {
            return;
        }
        attempt("could not give up its network", () -> {
            paused = false;
            if (network != null) {
                network.serverDown();
            }
            wentDown();
        });
    }

    @Override
    public final synchronized void start() {
        if (closed) {
            throw new IllegalStateException("shards are closed; " + direct.name() + " cannot be started again");
        }
        if (alive()) {
            return;
        }
        try {
            attempt("did not start", () -> {
                direct = launch();
                if (network != null) {
                    network.serverUp(new InetSocketAddress(direct.host(), direct.port()));
                }
            });
        } catch (RuntimeException e) {
            try {
                kill();
            } catch (RuntimeException onKill) {
                e.addSuppressed(onKill);
            }
            throw e;
        }
    }

    @Override
    public final synchronized void pause() {
        requireRunning("pause");
        attempt("could not be paused", () -> {
            paused = true;
            freeze();
        });
    }

    @Override
    public final synchronized void resume() {
        if (paused) {
            attempt("could not be resumed", () -> {
                thaw();
                paused = false;
            });
        }
    }

    @Override
    public final synchronized void promote() {
        requireRunning("promote");
        requireNotPaused("promote");
        attempt("could not be promoted", () -> Replication.promote(direct));
    }

    @Override
    public final void follow(ShardServer primary) {
        ManagedServer other = mine(primary);
        if (other == this) {
            throw new IllegalArgumentException("server " + direct.name() + " cannot follow itself; name another one");
        }
        synchronized (this) {
            if (closed) {
                throw new IllegalStateException("shards are closed; " + direct.name() + " cannot follow any server");
            }
            other.requireAnswering("be followed");
            kill();
            attempt("could not be made a standby of " + other.direct.name(), () -> becomeCopyOf(other));
            start();
        }
    }

    @Override
    public final synchronized void replicationDelay(Duration delay) {
        if (delay.isNegative() || delay.compareTo(MAX_DELAY) > 0) {
            throw new IllegalArgumentException("replication delay must be zero to " + MAX_DELAY + ", was " + delay);
        }
        requireRunning("delay replication");
        requireNotPaused("delay replication");
        attempt("could not be delayed", () -> Replication.delay(direct, delay));
    }

    @Override
    public final void awaitReplayOf(ShardServer primary) {
        ShardNode other = mine(primary).direct;
        requireRunning("await replay");
        requireNotPaused("await replay");
        attempt("cannot be compared with " + other.name(), () -> Replication.awaitReplay(direct, other));
    }

    @Override
    public final Network network() {
        if (network == null || !networkOffered) {
            throw new IllegalStateException(
                    "server " + direct.name() + " has no network of its own; make the shards with networks()");
        }
        return network;
    }

    /** Stops the server, with force if it does not answer, and returns when its processes are gone, and its data. */
    @Override
    public final synchronized void close() {
        closed = true;
        attempt("could not be stopped", () -> {
            try {
                remove();
            } finally {
                if (network != null) {
                    network.close();
                }
            }
        });
    }

    private ManagedServer mine(ShardServer other) {
        if (other instanceof ManagedServer server
                // Made up for each shard, and copied with its data.
                && server.direct.superuserPassword().equals(direct.superuserPassword())) {
            return server;
        }
        throw new IllegalArgumentException(
                other.node() + " is not a server of the same shard as " + direct + "; take one of this shard");
    }

    /** For use by another server, which holds its own lock: two that follow each other must not wait for one another. */
    private void requireAnswering(String what) {
        if (!alive() || paused) {
            throw new IllegalStateException(
                    "server " + direct.name() + " does not run, so it cannot " + what + "; start or resume it first");
        }
    }

    private void requireRunning(String what) {
        if (!running()) {
            throw new IllegalStateException(
                    "cannot " + what + ": server " + direct.name() + " does not run; start it first");
        }
    }

    private void requireNotPaused(String what) {
        if (paused) {
            throw new IllegalStateException(
                    "cannot " + what + ": server " + direct.name() + " is paused; resume or kill it first");
        }
    }

    interface Step {

        void run() throws IOException, SQLException;
    }

    final void attempt(String failure, Step step) {
        try {
            step.run();
        } catch (IOException | SQLException e) {
            throw new IllegalStateException("server " + direct.name() + " " + failure + ": " + e.getMessage(), e);
        }
    }

    @Override
    public final String toString() {
        return node().toString();
    }
}
