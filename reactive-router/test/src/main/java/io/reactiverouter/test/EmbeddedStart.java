package io.reactiverouter.test;

import io.reactiverouter.test.ShardNode.Login;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One attempt to start a server: data directory, process, owner. Passwords are asked from the first moment on: the
 * superuser's is a secret made here and given to {@code initdb}.
 */
final class EmbeddedStart {

    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final Duration WATCH_INTERVAL = Duration.ofMillis(50);
    private static final String GAVE_UP = "pg_ctl: could not start server";
    private static final String PORT_TAKEN = "Address already in use";
    private static final List<String> BAD_SETTING = List.of(
            "unrecognized configuration parameter", "invalid value for parameter", "is outside the valid range");
    private static final int LOG_LINES = 20;
    private static final String LOGINS = """
            host all all 127.0.0.1/32 scram-sha-256
            host replication all 127.0.0.1/32 scram-sha-256
            """;

    private final String name;
    private final ServerSpec spec;
    private final Path data;
    private final Path log;
    private final Path passwordFile;
    private final int port;
    private final Login superuser =
            new Login(ShardNode.SUPERUSER, UUID.randomUUID().toString());

    EmbeddedStart(String name, ServerSpec spec, Path data, int port) {
        this.name = name;
        this.spec = spec;
        this.data = data;
        this.log = data.resolveSibling(data.getFileName() + ".log");
        this.passwordFile = data.resolveSibling(data.getFileName() + ".password");
        this.port = port;
    }

    /** Returns the server, or null if another process has the port. */
    @Nullable EmbeddedServer run(@Nullable Networks networks) {
        ShardNode node = new ShardNode(
                name, "127.0.0.1", port, spec.database(), new Login(spec.username(), spec.password()), superuser);
        try {
            Files.writeString(passwordFile, superuser.password());
            launchWatched();
            String messages = messages();
            if (messages.contains(PORT_TAKEN)) {
                killLeftover();
                return null;
            }
            if (messages.contains(GAVE_UP)) {
                throw new IOException("the server ended at once");
            }
            if (!isOurs(node.withDatabase("postgres"))) {
                killLeftover();
                return null;
            }
            Databases.createOwner(node);
            return new EmbeddedServer(
                    node,
                    data,
                    spec,
                    Networks.open(networks, node),
                    new PgCtl(PgCtl.binaries(data), data, port, spec),
                    PgCtl.process(data).orElseThrow());
        } catch (IOException | SQLException | RuntimeException e) {
            killLeftover();
            throw failure(e);
        }
    }

    /**
     * The library waits for the server to answer until its time is up, even if it has ended with an error in its
     * configuration. A watcher sees that in the log and interrupts the wait, which then returns as if all were well.
     */
    private void launchWatched() throws IOException {
        Thread starting = Thread.currentThread();
        AtomicBoolean done = new AtomicBoolean();
        Thread watcher = new Thread(
                () -> {
                    while (!done.get()) {
                        if (messages().contains(GAVE_UP) && done.compareAndSet(false, true)) {
                            starting.interrupt();
                        }
                        LockSupport.parkNanos(WATCH_INTERVAL.toNanos());
                    }
                },
                "embedded-postgres-watch");
        watcher.setDaemon(true);
        watcher.start();
        try {
            launch();
        } finally {
            if (!done.compareAndSet(false, true)) {
                // The interrupt was the watcher's and has done its work.
                Thread.interrupted();
            }
        }
    }

    /** Nothing is asked of the library's object any more: {@link PgCtl} stops the server, and starts it again. */
    private void launch() throws IOException {
        ProcessBuilder.Redirect toLog = ProcessBuilder.Redirect.appendTo(log.toFile());
        EmbeddedPostgres.Builder builder = EmbeddedPostgres.builder()
                .setDataDirectory(data)
                .setOverrideWorkingDirectory(Binaries.directory().toFile())
                .setPort(port)
                .setPGStartupWait(START_LIMIT)
                .setRegisterShutdownHook(false)
                .setErrorRedirector(toLog)
                .setOutputRedirector(toLog)
                // These three go to initdb as they are. PostgreSQL's own C.UTF-8 needs no locale of the system.
                .setLocaleConfig("locale", "C")
                .setLocaleConfig("locale-provider", "builtin")
                .setLocaleConfig("builtin-locale", "C.UTF-8")
                .setLocaleConfig("pwfile", passwordFile.toString())
                .setConnectConfig("password", superuser.password())
                // In seconds; what answers on the port may be a program that says nothing.
                .setConnectConfig("connectTimeout", "1")
                .setConnectConfig("socketTimeout", "1")
                .setConnectConfig("sslmode", "disable")
                .setDataDirectoryCustomizer(directory -> configure());
        spec.settings().forEach((setting, value) -> {
            if (ServerSpec.ON_COMMAND_LINE.contains(setting)) {
                builder.setServerConfig(setting, value);
            }
        });
        builder.start();
    }

    private void configure() {
        String lines = "\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n"
                // In the data directory, so that a server that is killed leaves none of it behind.
                + "dynamic_shared_memory_type = mmap\n"
                + spec.configuration();
        try {
            Files.writeString(data.resolve("postgresql.conf"), lines, StandardOpenOption.APPEND);
            Files.writeString(data.resolve("pg_hba.conf"), LOGINS);
            Files.delete(passwordFile);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Another process may have taken the port in between: then the server that answers is not the one just started. */
    private boolean isOurs(ShardNode server) throws SQLException, IOException {
        try (Connection connection = server.openSuperuserJdbc();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("show data_directory")) {
            result.next();
            return Path.of(result.getString(1)).toRealPath().equals(data.toRealPath());
        } catch (SQLException e) {
            // A server of someone else does not know the secret.
            if (String.valueOf(e.getSQLState()).startsWith("28")) {
                return false;
            }
            throw e;
        }
    }

    private void killLeftover() {
        try {
            Optional<ProcessHandle> process = PgCtl.process(data);
            if (process.isPresent()) {
                EmbeddedServer.kill(process.get(), data);
            }
        } catch (IOException | RuntimeException e) {
            throw new IllegalStateException("what is left of shard " + name + " in " + data + " cannot be stopped", e);
        }
    }

    private IllegalStateException failure(Exception cause) {
        String messages = messages();
        List<String> lines = messages.lines().toList();
        return new IllegalStateException(
                "embedded PostgreSQL for shard " + name + " did not start: " + cause.getMessage() + advice(messages)
                        + "; the end of its log:\n"
                        + String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size())),
                cause);
    }

    private static String advice(String messages) {
        if (messages.contains("cannot be run as root")) {
            return "; run as a plain user, or allow root user namespaces (unshare -U)";
        }
        return messages.contains(GAVE_UP) && BAD_SETTING.stream().anyMatch(messages::contains)
                ? "; correct or remove the setting that PostgreSQL names"
                : "";
    }

    private String messages() {
        try {
            return Files.exists(log) ? Files.readString(log) : "";
        } catch (IOException e) {
            return "(no log: " + e.getMessage() + ")";
        }
    }
}
