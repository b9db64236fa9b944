package io.reactiverouter.test;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A JVM that runs {@link ExitProbe}, with the class path of an application: neither JUnit nor Testcontainers are on it.
 */
final class ChildJvm implements AutoCloseable {

    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final Pattern TESTS_ONLY =
            Pattern.compile(".*/(junit|testcontainers|assertj|opentest4j)[^/]*\\.jar");

    private final Process process;
    private final BufferedReader output;
    private final List<String> seen = new ArrayList<>();

    private ChildJvm(Process process) {
        this.process = process;
        this.output = process.inputReader();
    }

    /** Returns the entries of this JVM's class path that an application has. */
    static List<Path> classPath() {
        return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                .filter(entry -> !TESTS_ONLY.matcher(entry).matches())
                .map(Path::of)
                .toList();
    }

    /** Starts the probe below {@code parent}; {@code prefix} is a command that runs another one. */
    static ChildJvm start(List<String> prefix, List<Path> classPath, Path parent, String... arguments)
            throws IOException {
        List<String> command = new ArrayList<>(prefix);
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Djava.io.tmpdir=" + (prefix.isEmpty() ? System.getProperty("java.io.tmpdir") : parent),
                "-cp",
                classPath.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator)),
                ExitProbe.class.getName(),
                parent.toString()));
        command.addAll(List.of(arguments));
        return new ChildJvm(
                new ProcessBuilder(command).redirectErrorStream(true).start());
    }

    Process process() {
        return process;
    }

    /** Reads up to the line that begins with a word and returns the rest of that line. */
    String await(String word) throws IOException {
        for (String line = output.readLine(); line != null; line = output.readLine()) {
            seen.add(line);
            if (line.startsWith(word + " ")) {
                return line.substring(word.length() + 1);
            }
        }
        throw new AssertionError("the JVM ended before \"" + word + "\":\n" + String.join("\n", seen));
    }

    /** Passes when the JVM ends and, {@code patience} later at most, no server and no data are left below {@code parent}. */
    void assertGone(Path parent, Duration patience) throws InterruptedException {
        assertThat(process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS))
                .as("the JVM ends")
                .isTrue();
        long start = System.nanoTime();
        while (!left(parent).isEmpty() && System.nanoTime() - start < patience.toNanos()) {
            LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
        }
        assertThat(left(parent)).as("left below " + parent).isEmpty();
    }

    /** Returns the servers that run on data below a directory, and the data. */
    static List<String> left(Path parent) {
        Stream<String> servers = servers(parent).stream();
        String[] names = parent.toFile().list((directory, name) -> name.startsWith("reactive-router-shards-"));
        return Stream.concat(servers, Stream.of(names == null ? new String[0] : names))
                .toList();
    }

    /** Returns the command lines of the servers that run on data below a directory. */
    static List<String> servers(Path parent) {
        return ProcessHandle.allProcesses()
                .map(process -> process.info().commandLine().orElse(""))
                .filter(command -> command.contains("bin/postgres") && command.contains(parent.toString()))
                .toList();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
