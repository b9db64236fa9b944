package io.reactiverouter.test;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Real PostgreSQL 18 processes on this machine, without Docker and without anything installed: the binaries come as a
 * dependency and are unpacked once for each user into the directory for temporary files. Runs as a plain user, and as root
 * where {@code unshare -U} is allowed.
 *
 * <p>Servers listen on 127.0.0.1 only, ask for passwords (SCRAM), speak UTF-8 and have, unless a setting says otherwise,
 * {@code wal_level=logical}, {@code max_connections=300}, {@code max_prepared_transactions=64},
 * {@code max_replication_slots=32}, {@code max_wal_senders=32}, {@code timezone=UTC} and {@code fsync=off}: a crash of the
 * machine loses data, a crash of a server does not. The databases sort text by code point, by PostgreSQL's own locale
 * {@code C.UTF-8}. Their owner is no superuser, but may replicate, publish, subscribe and monitor.
 *
 * <p>{@link #close()} stops the servers and deletes their data; so does the end of the JVM, SIGTERM and (not on Windows)
 * SIGKILL included. Starting and closing block; the logger {@code io.zonky} tells of it at INFO.
 */
public final class EmbeddedShards implements ShardServers {

    private static final long MEMORY_NEEDED = 4L << 30;

    private final Path base;
    private final ExitGuard guard;
    private final ServerSpec spec;
    private final @Nullable Networks networks;
    private final Servers<EmbeddedServer> servers = new Servers<>();
    private @Nullable Thread exitHook;
    private boolean closed;

    private EmbeddedShards(ServerSpec spec, Path parent, boolean closeOnExit, boolean withNetworks) {
        this.spec = spec;
        try {
            this.base = Files.createTempDirectory(parent.toAbsolutePath(), "reactive-router-shards-");
        } catch (IOException e) {
            throw new UncheckedIOException("no directory can be made below " + parent + "; choose another one", e);
        }
        this.guard = new ExitGuard(base);
        this.networks = withNetworks ? new Networks() : null;
        if (closeOnExit) {
            Thread hook = new Thread(this::stopAll, "embedded-shards-exit");
            Runtime.getRuntime().addShutdownHook(hook);
            exitHook = hook;
        }
    }

    /**
     * Starts servers with default settings, database, user and password {@code app}.
     *
     * @throws IllegalArgumentException if the number is not 1 to 64
     * @throws IllegalStateException if a server does not start; the message shows the end of its log, and the others have
     *     been stopped
     */
    public static EmbeddedShards start(int count) {
        return builder(count).start();
    }

    /**
     * Starts to describe servers.
     *
     * @throws IllegalArgumentException if the number is not 1 to 64
     */
    public static Builder builder(int count) {
        return new Builder(ServerSpec.requireCount(count));
    }

    private static EmbeddedShards start(Builder builder) {
        EmbeddedShards shards = new EmbeddedShards(builder.spec, builder.parent, builder.closeOnExit, builder.networks);
        try {
            shards.grow(builder.count);
            Parallel.forEach(shards.nodes(), node -> Databases.createOwned(node, builder.spec.initSql()));
            shards.replicate(builder.replicas);
            return shards;
        } catch (RuntimeException e) {
            try {
                shards.close();
            } catch (RuntimeException onClose) {
                e.addSuppressed(onClose);
            }
            throw e;
        }
    }

    /** Returns servers that grow on demand and have no database of their own yet. */
    static EmbeddedShards empty(ServerSpec spec) {
        return new EmbeddedShards(spec, defaultParent(), true, false);
    }

    /** Making three data directories takes less than half the time in memory, and they go away all the same. */
    private static Path defaultParent() {
        File memory = new File("/dev/shm");
        return memory.isDirectory() && memory.canWrite() && memory.getUsableSpace() >= MEMORY_NEEDED
                ? memory.toPath()
                : Path.of(System.getProperty("java.io.tmpdir"));
    }

    /** Starts servers, side by side, until there are {@code count}; if one does not start, none is added. */
    synchronized void grow(int count) {
        if (closed) {
            throw new IllegalStateException("embedded shards are closed; start new ones");
        }
        servers.add(Parallel.map(
                IntStream.range(servers.primaries().size(), count).boxed().toList(),
                i -> EmbeddedServer.start("s" + i, spec, base, EmbeddedShards::freePort, networks),
                EmbeddedServer::close));
    }

    private synchronized void replicate(int perShard) {
        servers.replicate(perShard, (primary, name) -> primary.replica(name, EmbeddedShards::freePort, networks));
    }

    /** A port free at this moment; the system does not give the same one again soon. */
    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException("no free port on 127.0.0.1", e);
        }
    }

    @Override
    public synchronized List<ShardNode> nodes() {
        return servers.nodes();
    }

    @Override
    public synchronized List<ShardServer> servers(int shard) {
        return servers.ofShard(shard);
    }

    /** Returns the process ids of the servers. */
    synchronized List<Long> pids() {
        return servers.primaries().stream().map(EmbeddedServer::pid).toList();
    }

    /** Returns the directory that holds all data and logs. */
    Path directory() {
        return base;
    }

    @Override
    public void close() {
        stopAll();
        Thread hook = exitHook;
        if (hook != null && hook != Thread.currentThread()) {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException e) {
                // The JVM is ending: the hook runs, and finds nothing to do.
            }
        }
    }

    private synchronized void stopAll() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            Parallel.forEach(servers.all(), EmbeddedServer::close);
        } finally {
            if (networks != null) {
                networks.close();
            }
            deleteDirectory();
            guard.close();
        }
    }

    private void deleteDirectory() {
        try {
            Directories.delete(base);
        } catch (IOException e) {
            throw new UncheckedIOException("could not delete " + base, e);
        }
    }

    @Override
    public String toString() {
        return "EmbeddedShards" + nodes();
    }

    /** Describes servers before their start. Not thread-safe. */
    public static final class Builder {

        private final int count;
        private ServerSpec spec = ServerSpec.DEFAULTS;
        private Path parent = defaultParent();
        private boolean closeOnExit = true;
        private int replicas;
        private boolean networks;

        private Builder(int count) {
            this.count = count;
        }

        /**
         * Sets a PostgreSQL setting, as in {@code setting("shared_buffers", "64MB")}. A setting that the server does not
         * know fails the start. For writes that survive a crash of the machine, set {@code fsync} to {@code on}.
         *
         * @throws IllegalArgumentException if it is one that the kit needs to reach the server, such as {@code port}
         */
        public Builder setting(String name, String value) {
            spec = spec.withSetting(name, value);
            return this;
        }

        /** Adds SQL to run in each new database as its owner; several statements are separated by semicolons. */
        public Builder initSql(String sql) {
            spec = spec.withInitSql(sql);
            return this;
        }

        /** Sets the name of the database; {@code app} unless set. */
        public Builder database(String name) {
            spec = spec.withDatabase(name);
            return this;
        }

        /** Sets the name of the database's owner; {@code app} unless set. */
        public Builder username(String name) {
            spec = spec.withUsername(name);
            return this;
        }

        /** Sets the owner's password; {@code app} unless set. */
        public Builder password(String text) {
            spec = spec.withPassword(text);
            return this;
        }

        /**
         * Sets the directory below which data and logs lie. Unless set, it is {@code /dev/shm}, in memory, where that has
         * 4 GiB free, and the directory for temporary files elsewhere.
         */
        public Builder directory(Path path) {
            parent = path;
            return this;
        }

        /**
         * Sets whether a shutdown hook closes the servers; true unless set. False is for owners that close them in a hook
         * of their own, in the right order; the servers still do not outlive the JVM.
         */
        public Builder closeOnExit(boolean close) {
            closeOnExit = close;
            return this;
        }

        /**
         * Gives each shard so many streaming replicas; none unless set. They are copies made after the init SQL has run,
         * apply what their primary writes without its waiting for them, and answer reads.
         *
         * @throws IllegalArgumentException if the number is not 0 to 8
         */
        public Builder replicas(int perShard) {
            replicas = ServerSpec.requireReplicas(perShard);
            return this;
        }

        /** Puts a {@link Network} between clients and each server; none unless set. All nodes have its ports then. */
        public Builder networks() {
            networks = true;
            return this;
        }

        /**
         * Starts the servers, in parallel, and returns when all of them answer.
         *
         * @throws IllegalStateException if one does not start; the message shows the end of its log, and the others have
         *     been stopped
         */
        public EmbeddedShards start() {
            return EmbeddedShards.start(this);
        }
    }
}
