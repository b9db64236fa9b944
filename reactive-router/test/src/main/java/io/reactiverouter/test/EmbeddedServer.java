package io.reactiverouter.test;

import io.reactiverouter.test.ShardNode.Login;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/** One PostgreSQL process with its data directory and log file. */
final class EmbeddedServer implements AutoCloseable {

    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(10);
    private static final Duration WATCH_INTERVAL = Duration.ofMillis(50);
    private static final String GAVE_UP = "pg_ctl: could not start server";
    private static final int ATTEMPTS = 5;
    private static final int LOG_LINES = 20;

    /** Settings that zonky puts on the command line, where they win over the configuration file. */
    private static final Set<String> ON_COMMAND_LINE =
            Set.of("timezone", "synchronous_commit", "max_connections", "fsync");

    private final ShardNode node;
    private final EmbeddedPostgres postgres;
    private final Path dataDirectory;

    private EmbeddedServer(ShardNode node, EmbeddedPostgres postgres, Path dataDirectory) {
        this.node = node;
        this.postgres = postgres;
        this.dataDirectory = dataDirectory;
    }

    /** Starts the server {@code name} with its data and log below {@code base}, and makes its owner. */
    static EmbeddedServer start(String name, ServerSpec spec, Path base) {
        Path log = base.resolve(name + ".log");
        for (int attempt = 1; ; attempt++) {
            Path data = base.resolve(name + "-" + attempt);
            int port = freePort();
            EmbeddedPostgres postgres = launch(name, spec, data, log, port);
            Login passwordless = new Login(ShardNode.SUPERUSER, "");
            ShardNode server = new ShardNode(
                    name, "127.0.0.1", port, "postgres", new Login(spec.username(), spec.password()), passwordless);
            try {
                if (isOurs(server, data)) {
                    return new EmbeddedServer(secure(server, spec, data), postgres, data);
                }
                stop(postgres);
            } catch (SQLException | IOException | RuntimeException e) {
                stop(postgres);
                throw failure(name, log, e);
            }
            if (attempt == ATTEMPTS) {
                throw failure(
                        name,
                        log,
                        new IOException(
                                "port " + port + " was taken by another process, as " + ATTEMPTS + " ports before"));
            }
        }
    }

    private static EmbeddedPostgres launch(String name, ServerSpec spec, Path data, Path log, int port) {
        ProcessBuilder.Redirect toLog = ProcessBuilder.Redirect.appendTo(log.toFile());
        try {
            EmbeddedPostgres.Builder builder = EmbeddedPostgres.builder()
                    .setDataDirectory(data)
                    .setOverrideWorkingDirectory(binaries())
                    .setPort(port)
                    .setPGStartupWait(START_LIMIT)
                    .setRegisterShutdownHook(false)
                    .setErrorRedirector(toLog)
                    .setOutputRedirector(toLog)
                    .setLocaleConfig("locale", "C.UTF-8")
                    .setDataDirectoryCustomizer(directory -> configure(directory.toPath(), spec.settings()));
            spec.settings().forEach((setting, value) -> {
                if (ON_COMMAND_LINE.contains(setting)) {
                    builder.setServerConfig(setting, value);
                }
            });
            return startWatched(builder, log);
        } catch (IOException | RuntimeException e) {
            throw failure(name, log, e);
        }
    }

    /**
     * The library waits for the server to answer until its time is up, even if it has ended with an error in its
     * configuration. A watcher sees that in the log and ends the wait.
     */
    private static EmbeddedPostgres startWatched(EmbeddedPostgres.Builder builder, Path log) throws IOException {
        Thread starting = Thread.currentThread();
        AtomicBoolean done = new AtomicBoolean();
        Thread watcher = new Thread(
                () -> {
                    while (!done.get()) {
                        if (tail(log).contains(GAVE_UP) && done.compareAndSet(false, true)) {
                            starting.interrupt();
                        }
                        LockSupport.parkNanos(WATCH_INTERVAL.toNanos());
                    }
                },
                "embedded-postgres-watch");
        watcher.setDaemon(true);
        watcher.start();
        try {
            return builder.start();
        } finally {
            if (!done.compareAndSet(false, true)) {
                // The interrupt was the watcher's and has done its work.
                Thread.interrupted();
            }
        }
    }

    /** Another process may have taken the port in between: then the server that answers is not the one just started. */
    private static boolean isOurs(ShardNode server, Path data) throws SQLException, IOException {
        try (Connection connection = server.openSuperuserJdbc();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("show data_directory")) {
            result.next();
            return Path.of(result.getString(1)).toRealPath().equals(data.toRealPath());
        } catch (SQLException e) {
            // A foreign server with passwords refuses the login.
            if (String.valueOf(e.getSQLState()).startsWith("28")) {
                return false;
            }
            throw e;
        }
    }

    /** Gives the superuser a password, makes the owner, and lets nobody in without a password from then on. */
    private static ShardNode secure(ShardNode server, ServerSpec spec, Path data) throws SQLException, IOException {
        String secret = UUID.randomUUID().toString();
        Databases.createOwner(server);
        Databases.run(server, List.of("alter role " + ShardNode.SUPERUSER + " password " + Databases.literal(secret)));
        Files.writeString(
                data.resolve("pg_hba.conf"),
                "host all all 127.0.0.1/32 scram-sha-256\nhost replication all 127.0.0.1/32 scram-sha-256\n");
        Databases.run(server, List.of("select pg_reload_conf()"));
        return new ShardNode(
                server.name(),
                server.host(),
                server.port(),
                spec.database(),
                new Login(spec.username(), spec.password()),
                new Login(ShardNode.SUPERUSER, secret));
    }

    private static void configure(Path data, Map<String, String> settings) {
        StringBuilder lines = new StringBuilder("\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n");
        settings.forEach((name, value) -> lines.append(name)
                .append(" = ")
                .append(Databases.literal(value))
                .append('\n'));
        try {
            Files.writeString(data.resolve("postgresql.conf"), lines, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The unpacked binaries: a directory for each user, because users cannot write into each other's. */
    private static File binaries() {
        return new File(
                System.getProperty("java.io.tmpdir"),
                "reactive-router-postgres-"
                        + System.getProperty("user.name", "unknown").replaceAll("[^A-Za-z0-9._-]", "_"));
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException("no free port on 127.0.0.1", e);
        }
    }

    private static IllegalStateException failure(String name, Path log, Exception cause) {
        return new IllegalStateException(
                "embedded PostgreSQL for shard " + name + " did not start: " + cause.getMessage()
                        + "; the end of its log:\n" + tail(log),
                cause);
    }

    private static String tail(Path log) {
        try {
            List<String> lines = Files.readAllLines(log);
            return String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()));
        } catch (IOException e) {
            return "(no log: " + e.getMessage() + ")";
        }
    }

    ShardNode node() {
        return node;
    }

    /** Returns the process id of the server. */
    long pid() {
        try {
            return Long.parseLong(Files.readAllLines(dataDirectory.resolve("postmaster.pid"))
                    .get(0)
                    .trim());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Stops the server and returns when its process is gone. */
    @Override
    public void close() {
        ProcessHandle process = ProcessHandle.of(pid()).orElse(null);
        stop(postgres);
        if (process != null) {
            process.onExit()
                    .completeOnTimeout(process, STOP_LIMIT.toSeconds(), TimeUnit.SECONDS)
                    .join();
        }
    }

    private static void stop(EmbeddedPostgres postgres) {
        try {
            postgres.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
