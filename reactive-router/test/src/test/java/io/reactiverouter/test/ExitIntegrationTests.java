package io.reactiverouter.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.parallel.ExecutionMode.CONCURRENT;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is left when a JVM with shards ends, in whatever way: nothing. */
class ExitIntegrationTests {

    /** The JVM itself stops its servers before it ends. */
    private static final Duration AT_ONCE = Duration.ZERO;

    /** The guard stops them after the JVM has ended. */
    private static final Duration SOON = Duration.ofSeconds(20);

    private final Path temporary;

    ExitIntegrationTests(@TempDir Path temporary) {
        this.temporary = temporary;
    }

    @Test
    @Execution(CONCURRENT)
    void terminatedJvmLeavesNothing() throws Exception {
        try (ChildJvm jvm = start()) {
            jvm.await("ready");
            assertThat(ChildJvm.servers(temporary)).hasSize(2);

            jvm.process().destroy(); // SIGTERM

            jvm.assertGone(temporary, AT_ONCE);
        }
    }

    @Test
    @Execution(CONCURRENT)
    void killedJvmLeavesNothing() throws Exception {
        try (ChildJvm jvm = start()) {
            jvm.await("ready");
            assertThat(ChildJvm.servers(temporary)).hasSize(2);

            jvm.process().destroyForcibly(); // SIGKILL

            jvm.assertGone(temporary, SOON);
        }
    }

    @Test
    @Execution(CONCURRENT)
    void killedJvmLeavesNoPausedServer() throws Exception {
        try (ChildJvm jvm = start("pause")) {
            jvm.await("ready");
            assertThat(ChildJvm.servers(temporary)).hasSizeGreaterThanOrEqualTo(2);

            jvm.process().destroyForcibly();

            jvm.assertGone(temporary, SOON);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {300, 900})
    @Execution(CONCURRENT)
    void jvmTerminatedDuringTheStartLeavesNothing(int millis) throws Exception {
        try (ChildJvm jvm = start()) {
            jvm.await("starting");
            Thread.sleep(millis);

            jvm.process().destroy();

            jvm.assertGone(temporary, SOON);
        }
    }

    @Test
    @Execution(CONCURRENT)
    void jvmThatEndsByItselfLeavesNothing() throws Exception {
        try (ChildJvm jvm = start("end")) {
            jvm.await("ending");
            jvm.assertGone(temporary, AT_ONCE);
        }
    }

    @Test
    @Execution(CONCURRENT)
    void plainUsersCanStartShardsAtTheSameTime() throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")), "already running as a plain user");
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/setpriv")), "setpriv (util-linux) is not installed");
        Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rwxrwxrwx"));
        List<Path> classPath = copyOfClassPath();
        List<String> asNobody =
                List.of("/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs");

        // Both unpack the binaries, for nothing has been unpacked below this directory yet.
        try (ChildJvm first = ChildJvm.start(asNobody, classPath, temporary, "end");
                ChildJvm second = ChildJvm.start(asNobody, classPath, temporary, "end")) {
            assertThat(first.await("ready")).isNotEqualTo("root");
            assertThat(second.await("ready")).isNotEqualTo("root");
            // The second may still be running below the same directory.
            first.assertGone(temporary, SOON);
            second.assertGone(temporary, AT_ONCE);
        }
    }

    private ChildJvm start(String... arguments) throws IOException {
        return ChildJvm.start(List.of(), ChildJvm.classPath(), temporary, arguments);
    }

    /** Dependencies below root's home cannot be read by others. */
    private List<Path> copyOfClassPath() throws IOException {
        List<Path> copies = new ArrayList<>();
        for (Path source : ChildJvm.classPath()) {
            Path copy = temporary.resolve(copies.size() + "-" + source.getFileName());
            if (Files.isDirectory(source)) {
                copyTree(source, copy);
            } else if (Files.exists(source)) {
                Files.copy(source, copy);
            }
            copies.add(copy);
        }
        return copies;
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
