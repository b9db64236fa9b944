package io.reactiverouter.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is left when a JVM with shards ends: nothing. */
class ExitIntegrationTests {

    private final List<Long> pids = new ArrayList<>();
    private Path directory = Path.of("none");
    private String user = "";

    @Test
    void terminatedJvmLeavesNoServerAndNoData() throws Exception {
        Process jvm = start(List.of(), System.getProperty("java.class.path"), List.of());
        readUntilReady(jvm);
        assertThat(pids).hasSize(2).allMatch(EmbeddedShardsIntegrationTests::alive);

        jvm.destroy(); // SIGTERM

        assertGone(jvm);
    }

    @Test
    void jvmThatEndsByItselfLeavesNoServerAndNoData() throws Exception {
        Process jvm = start(List.of(), System.getProperty("java.class.path"), List.of("end"));
        readUntilReady(jvm);

        assertGone(jvm);
    }

    @Test
    void plainUserCanStartShardsToo(@TempDir Path temporary) throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")), "already running as a plain user");
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/setpriv")), "setpriv (util-linux) is not installed");
        Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rwxr-xr-x"));
        String classPath = copyOfClassPath(temporary);

        Process jvm = start(
                List.of("/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
                classPath,
                List.of("end"));
        readUntilReady(jvm);

        assertThat(user).isNotEqualTo("root");
        assertGone(jvm);
    }

    private static Process start(List<String> prefix, String classPath, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>(prefix);
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                classPath,
                ExitProbe.class.getName()));
        command.addAll(arguments);
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private void readUntilReady(Process jvm) throws IOException {
        List<String> output = new ArrayList<>();
        BufferedReader reader = jvm.inputReader();
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            output.add(line);
            if (line.startsWith("directory ")) {
                directory = Path.of(line.substring(10));
            } else if (line.startsWith("pid ")) {
                pids.add(Long.parseLong(line.substring(4)));
            } else if (line.startsWith("ready ")) {
                user = line.substring(6);
                return;
            }
        }
        throw new AssertionError("the JVM ended before its shards were ready:\n" + String.join("\n", output));
    }

    private void assertGone(Process jvm) throws InterruptedException {
        assertThat(jvm.waitFor(30, TimeUnit.SECONDS)).as("the JVM ends").isTrue();
        assertThat(pids).noneMatch(EmbeddedShardsIntegrationTests::alive);
        assertThat(directory).doesNotExist();
    }

    /** Dependencies below root's home cannot be read by others. */
    private static String copyOfClassPath(Path target) throws IOException {
        List<String> copies = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            Path source = Path.of(entry);
            Path copy = target.resolve(copies.size() + "-" + source.getFileName());
            if (Files.isDirectory(source)) {
                copyTree(source, copy);
            } else if (Files.exists(source)) {
                Files.copy(source, copy);
            }
            copies.add(copy.toString());
        }
        return copies.stream().collect(Collectors.joining(File.pathSeparator));
    }

    private static void copyTree(Path source, Path target) throws IOException {
        Files.walkFileTree(source, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
                    throws IOException {
                Files.createDirectories(target.resolve(source.relativize(directory)));
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.copy(file, target.resolve(source.relativize(file)));
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
