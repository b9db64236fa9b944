package io.reactiverouter.test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.IntSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A PostgreSQL server in processes of this machine. Its methods of work on the server itself reach it directly, past its
 * network. One thing happens to it at a time.
 */
final class EmbeddedServer implements ShardServer, AutoCloseable {

    private static final Duration STOP_LIMIT = Duration.ofSeconds(5);
    private static final Duration MAX_DELAY = Duration.ofMillis(Integer.MAX_VALUE);
    private static final int ATTEMPTS = 5;
    private static final System.Logger LOG = System.getLogger(EmbeddedServer.class.getName());

    private final ShardNode direct;
    private final Path data;
    private final Path frozenList;
    private final ServerSpec spec;
    private final @Nullable Network network;
    private final PgCtl ctl;
    private final PortHold port;
    // Written under the lock of this server, and read by others that follow it.
    private volatile ProcessHandle process;
    private volatile boolean paused;
    private boolean closed;

    /**
     * Takes over a server that runs.
     *
     * @param direct how the server itself is reached
     * @param network between clients and the server, not yet open; null for none
     */
    EmbeddedServer(
            ShardNode direct, Path data, ServerSpec spec, @Nullable Network network, PgCtl ctl, ProcessHandle process) {
        this.direct = direct;
        this.data = data;
        this.frozenList = data.resolveSibling(data.getFileName() + ".paused");
        this.spec = spec;
        this.network = network;
        this.ctl = ctl;
        this.port = new PortHold(direct.port());
        this.process = process;
    }

    /**
     * Starts the server {@code name} with its data and log below {@code base}, and makes its owner.
     *
     * @param ports gives ports that are free; another process may take one before the server does, then the next is tried
     */
    static EmbeddedServer start(String name, ServerSpec spec, Path base, IntSupplier ports) {
        return start(name, spec, base, ports, null);
    }

    static EmbeddedServer start(
            String name, ServerSpec spec, Path base, IntSupplier ports, @Nullable Networks networks) {
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            EmbeddedStart start = new EmbeddedStart(name, spec, base.resolve(name + "-" + attempt), ports.getAsInt());
            EmbeddedServer server = start.run(networks);
            if (server != null) {
                return server;
            }
        }
        throw new IllegalStateException(
                "embedded PostgreSQL for shard " + name + " did not start: other processes took " + ATTEMPTS
                        + " ports of 127.0.0.1, one after the other; stop the program that opens so many");
    }

    /** Makes and starts a standby of this server, with its data beside this one's. */
    EmbeddedServer replica(String name, IntSupplier ports, @Nullable Networks networks) {
        Path copy = data.resolveSibling(name);
        int free = ports.getAsInt();
        ShardNode node = direct.withServer(name, free);
        try {
            try (PortHold held = new PortHold(free)) {
                held.hold();
                Standby.copy(direct, data, copy, name);
            }
            PgCtl starter = new PgCtl(PgCtl.binaries(data), copy, free, spec);
            ProcessHandle started = starter.start();
            return new EmbeddedServer(node, copy, spec, Networks.open(networks, free), starter, started);
        } catch (IOException | SQLException | RuntimeException e) {
            attempt("left a half-made replica behind", () -> {
                Optional<ProcessHandle> left = PgCtl.process(copy);
                if (left.isPresent()) {
                    kill(left.get(), copy);
                }
            });
            throw new IllegalStateException(
                    "replica " + name + " of " + direct + " did not start: " + e.getMessage(), e);
        }
    }

    @Override
    public ShardNode node() {
        return network == null ? direct : direct.withPort(network.port());
    }

    /** Returns the process id of the server. */
    synchronized long pid() {
        return process.pid();
    }

    @Override
    public synchronized boolean running() {
        return Processes.running(process);
    }

    @Override
    public synchronized void kill() {
        if (running()) {
            attempt("could not be killed", () -> kill(process, data));
        }
        wentDown();
    }

    /** Kills a server whose data directory is {@code data}, with all that it started, and removes what it leaves behind. */
    static void kill(ProcessHandle postmaster, Path data) throws IOException {
        try {
            // Stopped first, it starts nothing new while it is being killed.
            Processes.signal("STOP", List.of(postmaster));
        } catch (IOException e) {
            LOG.log(
                    System.Logger.Level.DEBUG,
                    "process " + postmaster.pid() + " could not be stopped before its end",
                    e);
        }
        if (!Processes.kill(Processes.of(postmaster), STOP_LIMIT)) {
            throw new IOException("process " + postmaster.pid() + " is still there " + STOP_LIMIT + " after SIGKILL");
        }
        SharedMemory.remove(data);
    }

    @Override
    public synchronized void stop() {
        if (running()) {
            requireNotPaused("stop");
            attempt("could not be stopped", () -> ctl.stop("fast", process, PgCtl.LIMIT));
        }
        wentDown();
    }

    /** The port stays the server's own while it is down, and refuses connections. */
    private void wentDown() {
        if (closed) {
            return;
        }
        attempt("could not give up its network", () -> {
            paused = false;
            Files.deleteIfExists(frozenList);
            if (network != null) {
                network.serverDown();
            }
            port.hold();
        });
    }

    @Override
    public synchronized void start() {
        if (closed) {
            throw new IllegalStateException("shards are closed; " + direct.name() + " cannot be started again");
        }
        if (running()) {
            return;
        }
        try {
            attempt("did not start", () -> {
                port.release();
                process = ctl.start();
                if (network != null) {
                    network.serverUp();
                }
            });
        } catch (RuntimeException e) {
            kill();
            throw e;
        }
    }

    @Override
    public synchronized void pause() {
        requireRunning("pause");
        attempt("could not be paused", () -> {
            paused = true;
            // Should this JVM end now, whoever stops the server must wake it up first.
            Processes.freeze(
                    process,
                    processes -> Files.writeString(
                            frozenList,
                            processes.stream()
                                    .map(stopped -> stopped.pid() + "\n")
                                    .collect(Collectors.joining()),
                            StandardOpenOption.CREATE,
                            StandardOpenOption.APPEND));
        });
    }

    @Override
    public synchronized void resume() {
        if (paused) {
            attempt("could not be resumed", () -> {
                Processes.signal("CONT", Processes.of(process));
                Files.deleteIfExists(frozenList);
                paused = false;
            });
        }
    }

    @Override
    public synchronized void promote() {
        requireRunning("promote");
        requireNotPaused("promote");
        attempt("could not be promoted", () -> Replication.promote(direct));
    }

    @Override
    public void follow(ShardServer primary) {
        EmbeddedServer other = mine(primary);
        if (other == this) {
            throw new IllegalArgumentException("server " + direct.name() + " cannot follow itself; name another one");
        }
        synchronized (this) {
            if (closed) {
                throw new IllegalStateException("shards are closed; " + direct.name() + " cannot follow any server");
            }
            other.requireAnswering("be followed");
            kill();
            attempt("could not be made a standby of " + other.direct.name(), () -> {
                Path copy = data.resolveSibling(data.getFileName() + ".copy");
                try {
                    Standby.copy(other.direct, other.data, copy, direct.name());
                } catch (IOException | SQLException e) {
                    // It still has what it had.
                    Directories.delete(copy);
                    throw e;
                }
                Directories.delete(data);
                Files.move(copy, data);
            });
            start();
        }
    }

    @Override
    public synchronized void replicationDelay(Duration delay) {
        if (delay.isNegative() || delay.compareTo(MAX_DELAY) > 0) {
            throw new IllegalArgumentException("replication delay must be zero to " + MAX_DELAY + ", was " + delay);
        }
        requireRunning("delay replication");
        requireNotPaused("delay replication");
        attempt("could not be delayed", () -> Replication.delay(direct, delay));
    }

    @Override
    public void awaitReplayOf(ShardServer primary) {
        ShardNode other = mine(primary).direct;
        requireRunning("await replay");
        requireNotPaused("await replay");
        attempt("cannot be compared with " + other.name(), () -> Replication.awaitReplay(direct, other));
    }

    @Override
    public Network network() {
        if (network == null) {
            throw new IllegalStateException(
                    "server " + direct.name() + " has no network of its own; make the shards with networks()");
        }
        return network;
    }

    /** Stops the server, with force if it does not answer, and returns when its processes are gone, and its data. */
    @Override
    public synchronized void close() {
        closed = true;
        attempt("could not be stopped", () -> {
            try {
                // Its data are deleted next, so nothing needs to be written.
                if (running() && (paused || !stopsNow())) {
                    kill(process, data);
                }
                // Where somebody else has killed it.
                SharedMemory.remove(data);
                Directories.delete(data);
            } finally {
                if (network != null) {
                    network.close();
                }
                port.release();
            }
        });
    }

    private boolean stopsNow() {
        List<ProcessHandle> all = Processes.of(process);
        try {
            ctl.stop("immediate", process, STOP_LIMIT);
            return Processes.ended(all, STOP_LIMIT);
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "server " + direct.name() + " is killed, it does not stop", e);
            return false;
        }
    }

    private EmbeddedServer mine(ShardServer other) {
        if (other instanceof EmbeddedServer server
                // Made up for each shard, and copied with its data.
                && server.direct.superuserPassword().equals(direct.superuserPassword())) {
            return server;
        }
        throw new IllegalArgumentException(
                other.node() + " is not a server of the same shard as " + direct + "; take one of this shard");
    }

    /** For use by another server, which holds its own lock: two that follow each other must not wait for one another. */
    private void requireAnswering(String what) {
        if (!Processes.running(process) || paused) {
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

    private interface Step {

        void run() throws IOException, SQLException;
    }

    private void attempt(String failure, Step step) {
        try {
            step.run();
        } catch (IOException | SQLException e) {
            throw new IllegalStateException("server " + direct.name() + " " + failure + ": " + e.getMessage(), e);
        }
    }

    @Override
    public String toString() {
        return node().toString();
    }
}
