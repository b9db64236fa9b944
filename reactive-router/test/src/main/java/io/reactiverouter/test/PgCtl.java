package io.reactiverouter.test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Starts and stops the server of one data directory, with PostgreSQL's own {@code pg_ctl}. */
final class PgCtl {

    static final Duration LIMIT = Duration.ofSeconds(60);

    private static final Duration GRACE = Duration.ofSeconds(10);
    private static final int LOG_LINES = 20;

    private final List<String> program;
    private final Path data;
    private final Path log;
    private final String options;

    /**
     * @param binaries directory of PostgreSQL's programs
     * @param spec some of its settings stand on the server's command line, which passes a shell; {@link ServerSpec} lets
     *     nothing harmful through
     */
    PgCtl(Path binaries, Path data, int port, ServerSpec spec) {
        this.program = program(binaries.resolve("pg_ctl"));
        this.data = data;
        this.log = data.resolveSibling(data.getFileName() + ".log");
        StringBuilder line = new StringBuilder("-p " + port);
        for (Map.Entry<String, String> setting : spec.settings().entrySet()) {
            if (ServerSpec.ON_COMMAND_LINE.contains(setting.getKey())) {
                line.append(" -c ").append(setting.getKey()).append('=').append(setting.getValue());
            }
        }
        this.options = line.toString();
    }

    /** PostgreSQL refuses to run as root; in a user namespace of its own it does not know that it does. */
    private static List<String> program(Path pgCtl) {
        boolean root = "root".equals(System.getProperty("user.name")) && "Linux".equals(System.getProperty("os.name"));
        return root ? List.of("unshare", "-U", pgCtl.toString()) : List.of(pgCtl.toString());
    }

    /** Returns where the programs of a server lie that was started from {@code data}. */
    static Path binaries(Path data) throws IOException {
        String command = Files.readString(data.resolve("postmaster.opts"));
        // The program comes first and is not quoted; its arguments are.
        int end = command.indexOf(" \"");
        Path program = Path.of((end < 0 ? command : command.substring(0, end)).trim());
        Path directory = program.getParent();
        if (directory == null) {
            throw new IOException("no directory of programs in " + data.resolve("postmaster.opts"));
        }
        return directory;
    }

    /** Returns the postmaster that belongs to a data directory, if it runs. */
    static Optional<ProcessHandle> process(Path data) throws IOException {
        Path file = data.resolve("postmaster.pid");
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        return ProcessHandle.of(Long.parseLong(Files.readAllLines(file).get(0).trim()))
                .filter(Processes::running);
    }

    /** Starts the server, and returns its process when it answers; one that does not has been killed. */
    ProcessHandle start() throws IOException {
        try {
            int code = run(LIMIT, List.of("-o", options, "-l", log.toString(), "start"));
            Optional<ProcessHandle> process = process(data);
            if (code != 0 || process.isEmpty()) {
                throw new IOException("pg_ctl start ended with code " + code + "; the end of its log:\n" + endOfLog());
            }
            return process.get();
        } catch (IOException e) {
            Optional<ProcessHandle> left = process(data);
            if (left.isPresent()) {
                EmbeddedServer.kill(left.get(), data);
            }
            throw e;
        }
    }

    /** Stops the server in a mode of pg_ctl and returns when its process has ended. */
    void stop(String mode, ProcessHandle process, Duration limit) throws IOException {
        int code = run(limit, List.of("-m", mode, "stop"));
        if (code != 0) {
            throw new IOException(
                    "pg_ctl stop -m " + mode + " ended with code " + code + "; the end of its log:\n" + endOfLog());
        }
        // For pg_ctl it has ended when its file is gone, which is a moment earlier.
        if (!Processes.ended(List.of(process), GRACE)) {
            throw new IOException("process " + process.pid() + " goes on after pg_ctl stop -m " + mode);
        }
    }

    private int run(Duration limit, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>(program);
        command.addAll(List.of("-D", data.toString(), "-w", "-t", String.valueOf(limit.toSeconds())));
        command.addAll(arguments);
        return Processes.run(command, limit.plus(GRACE), ProcessBuilder.Redirect.appendTo(log.toFile()));
    }

    private String endOfLog() {
        try {
            List<String> lines = Files.readAllLines(log);
            return String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()));
        } catch (IOException e) {
            return "(no log: " + e.getMessage() + ")";
        }
    }
}
