package io.reactiverouter.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.parallel.ExecutionMode.CONCURRENT;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;

/** The contract on processes of this machine, and what is to be seen of those. */
class FaultsIntegrationTests extends FaultsContract {

    private static final Path SEGMENTS = Path.of("/proc/sysvipc/shm");

    FaultsIntegrationTests() {
        super(ServersUnderTest.EMBEDDED);
    }

    @Test
    @Execution(CONCURRENT)
    void killedServerLeavesNoSharedMemory() throws Exception {
        assumeTrue(Files.exists(SEGMENTS), "the system does not list its shared memory in " + SEGMENTS);
        Path pidFile = directory().resolve("s0-1/postmaster.pid");
        String segment = Files.readAllLines(pidFile).get(6).trim().split("\\s+", -1)[1];
        assertThat(segments()).contains(segment);

        shards().server(0).kill();

        assertThat(segments()).doesNotContain(segment);
        assertThat(pidFile).doesNotExist();
    }

    @Test
    @Execution(CONCURRENT)
    void pausedServersAreClosedAtOnce() {
        shards().servers(0).forEach(ShardServer::pause);

        long start = System.nanoTime();
        shards().close();

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(4));
        assertThat(ChildJvm.servers(directory())).isEmpty();
        assertThat(directory()).doesNotExist();
    }

    @Test
    @Execution(CONCURRENT)
    void killEndsAllProcessesAlsoOfAPausedServer() {
        ShardServer server = shards().server(0);
        server.pause();
        server.kill();
        assertThat(ChildJvm.servers(directory())).as("the replica's").hasSize(1);
    }

    private Path directory() {
        return ((EmbeddedShards) shards()).directory();
    }

    /** Ids of all System V shared memory of this machine. */
    private static List<String> segments() throws IOException {
        return Files.readAllLines(SEGMENTS).stream()
                .map(line -> line.trim().split("\\s+", -1)[1])
                .toList();
    }
}
