package io.reactiverouter.test;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntSupplier;
import java.util.stream.Stream;

/** One running PostgreSQL process. */
final class EmbeddedServer implements AutoCloseable {

    private static final Duration STOP_LIMIT = Duration.ofSeconds(5);
    private static final Duration POLL_INTERVAL = Duration.ofMillis(5);
    private static final int ATTEMPTS = 5;

    private final ShardNode node;
    private final EmbeddedPostgres postgres;
    private final ProcessHandle process;

    EmbeddedServer(ShardNode node, EmbeddedPostgres postgres, ProcessHandle process) {
        this.node = node;
        this.postgres = postgres;
        this.process = process;
    }

    /**
     * Starts the server {@code name} with its data and log below {@code base}, and makes its owner.
     *
     * @param ports gives ports that are free; another process may take one before the server does, then the next is tried
     */
    static EmbeddedServer start(String name, ServerSpec spec, Path base, IntSupplier ports) {
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            EmbeddedStart start = new EmbeddedStart(name, spec, base.resolve(name + "-" + attempt), ports.getAsInt());
            EmbeddedServer server = start.run();
            if (server != null) {
                return server;
            }
        }
        throw new IllegalStateException(
                "embedded PostgreSQL for shard " + name + " did not start: other processes took " + ATTEMPTS
                        + " ports of 127.0.0.1, one after the other; stop the program that opens so many");
    }

    ShardNode node() {
        return node;
    }

    /** Returns the process id of the server. */
    long pid() {
        return process.pid();
    }

    /** Stops the server, with force if it does not answer, and returns when its process is gone. */
    @Override
    public void close() {
        // A server that has been killed is left alone: there is nothing to stop.
        if (running(process)) {
            try {
                postgres.close();
            } catch (IOException e) {
                throw new UncheckedIOException("shard " + node.name() + " could not be stopped", e);
            }
        }
        kill(process);
    }

    /** Waits a moment for the end of a process that has been asked to stop, then kills it and all that it started. */
    static void kill(ProcessHandle process) {
        List<ProcessHandle> all =
                Stream.concat(Stream.of(process), process.descendants()).toList();
        if (!ended(all, Duration.ofSeconds(1))) {
            all.forEach(ProcessHandle::destroyForcibly);
            ended(all, STOP_LIMIT);
        }
    }

    private static boolean ended(List<ProcessHandle> processes, Duration limit) {
        long start = System.nanoTime();
        while (processes.stream().anyMatch(EmbeddedServer::running)) {
            if (System.nanoTime() - start > limit.toNanos()) {
                return false;
            }
            LockSupport.parkNanos(POLL_INTERVAL.toNanos());
        }
        return true;
    }

    /** Servers are no children of the JVM. One that has ended is a zombie until process 1 sees to it, which may never be. */
    static boolean running(ProcessHandle process) {
        if (!process.isAlive()) {
            return false;
        }
        try {
            String stat = Files.readString(Path.of("/proc", String.valueOf(process.pid()), "stat"));
            return stat.charAt(stat.lastIndexOf(')') + 2) != 'Z';
        } catch (IOException e) {
            // Gone meanwhile, or a system without /proc.
            return process.isAlive();
        }
    }
}
