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

/** A PostgreSQL server in processes of this machine. */
final class EmbeddedServer extends ManagedServer {

    private static final Duration STOP_LIMIT = Duration.ofSeconds(5);
    private static final int ATTEMPTS = 5;
    private static final System.Logger LOG = System.getLogger(EmbeddedServer.class.getName());

    private final Path data;
    private final Path frozenList;
    private final ServerSpec spec;
    private final PgCtl ctl;
    private final PortHold port;
    // Written under the lock of this server, and read by others that follow it.
    private volatile ProcessHandle process;

    /**
     * Takes over a server that runs.
     *
     * @param direct how the server itself is reached
     * @param network between clients and the server, not yet open; null for none
     */
    EmbeddedServer(
            ShardNode direct, Path data, ServerSpec spec, @Nullable Network network, PgCtl ctl, ProcessHandle process) {
        super(direct, network, true);
        this.data = data;
        this.frozenList = data.resolveSibling(data.getFileName() + ".paused");
        this.spec = spec;
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
        ShardNode node = direct().withServer(name, free);
        try {
            try (PortHold held = new PortHold(free)) {
                held.hold();
                Standby.copy(direct(), data, copy, name);
            }
            PgCtl starter = new PgCtl(PgCtl.binaries(data), copy, free, spec);
            ProcessHandle started = starter.start();
            return new EmbeddedServer(node, copy, spec, Networks.open(networks, node), starter, started);
        } catch (IOException | SQLException | RuntimeException e) {
            attempt("left a half-made replica behind", () -> {
                Optional<ProcessHandle> left = PgCtl.process(copy);
                if (left.isPresent()) {
                    kill(left.get(), copy);
                }
            });
            throw new IllegalStateException(
                    "replica " + name + " of " + direct() + " did not start: " + e.getMessage(), e);
        }
    }

    /** Returns the process id of the server. */
    synchronized long pid() {
        return process.pid();
    }

    @Override
    boolean alive() {
        return Processes.running(process);
    }

    @Override
    void crash() throws IOException {
        kill(process, data);
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
    void shutDown() throws IOException {
        ctl.stop("fast", process, PgCtl.LIMIT);
    }

    @Override
    void wentDown() throws IOException {
        Files.deleteIfExists(frozenList);
        port.hold();
    }

    @Override
    ShardNode launch() throws IOException {
        port.release();
        process = ctl.start();
        return direct();
    }

    @Override
    void freeze() throws IOException {
        // Should this JVM end now, whoever stops the server must wake it up first.
        Processes.freeze(
                process,
                processes -> Files.writeString(
                        frozenList,
                        processes.stream().map(stopped -> stopped.pid() + "\n").collect(Collectors.joining()),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.APPEND));
    }

    @Override
    void thaw() throws IOException {
        Processes.signal("CONT", Processes.of(process));
        Files.deleteIfExists(frozenList);
    }

    @Override
    void becomeCopyOf(ManagedServer primary) throws IOException, SQLException {
        EmbeddedServer other = (EmbeddedServer) primary;
        Path copy = data.resolveSibling(data.getFileName() + ".copy");
        try {
            Standby.copy(other.direct(), other.data, copy, direct().name());
        } catch (IOException | SQLException e) {
            // It still has what it had.
            Directories.delete(copy);
            throw e;
        }
        Directories.delete(data);
        Files.move(copy, data);
    }

    @Override
    void remove() throws IOException {
        try {
            // Its data are deleted next, so nothing needs to be written.
            if (alive() && (paused() || !stopsNow())) {
                kill(process, data);
            }
            // Where somebody else has killed it.
            SharedMemory.remove(data);
            Directories.delete(data);
        } finally {
            port.release();
        }
    }

    private boolean stopsNow() {
        List<ProcessHandle> all = Processes.of(process);
        try {
            ctl.stop("immediate", process, STOP_LIMIT);
            return Processes.ended(all, STOP_LIMIT);
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "server " + direct().name() + " is killed, it does not stop", e);
            return false;
        }
    }
}
