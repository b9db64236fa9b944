package io.reactiverouter.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.junit.jupiter.api.parallel.ExecutionMode.CONCURRENT;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;

/** Servers that stop, are stopped, or do not start: none is left. */
class StopIntegrationTests {

    private final Path temporary;

    StopIntegrationTests(@TempDir Path temporary) {
        this.temporary = temporary;
    }

    @Test
    @Execution(CONCURRENT)
    void closeStopsTheProcessesAndDeletesTheData() {
        EmbeddedShards shards = start();
        assertThat(ChildJvm.servers(temporary)).hasSize(2);

        shards.close();
        shards.close();

        assertThat(ChildJvm.left(temporary)).isEmpty();
    }

    @Test
    @Execution(CONCURRENT)
    void closeAlsoEndsWhereServersHaveBeenKilled() {
        EmbeddedShards shards = start();
        ProcessHandle server = ProcessHandle.of(shards.pids().get(0)).orElseThrow();
        server.destroyForcibly();
        while (Processes.running(server)) {
            Thread.onSpinWait();
        }

        shards.close();

        assertThat(ChildJvm.left(temporary)).isEmpty();
    }

    @Test
    @Execution(CONCURRENT)
    void closeAlsoStopsServersThatDoNotAnswer() throws Exception {
        EmbeddedShards shards = start();
        Process pause = new ProcessBuilder("kill", "-STOP", shards.pids().get(0).toString()).start();
        assertThat(pause.waitFor()).isZero();

        shards.close();

        assertThat(ChildJvm.left(temporary)).isEmpty();
    }

    @Test
    @Execution(CONCURRENT)
    void oneServerThatDoesNotStartStopsTheOthersAndTheNextTryIsClean() throws Exception {
        try (EmbeddedShards shards = EmbeddedShards.empty(ServerSpec.DEFAULTS)) {
            Path inTheWay = Files.createFile(shards.directory().resolve("s1-1"));

            assertThatIllegalStateException()
                    .isThrownBy(() -> shards.grow(3))
                    .withMessageContaining("shard s1 did not start")
                    .withMessageContaining(inTheWay.toString());
            assertThat(ChildJvm.servers(shards.directory())).isEmpty();
            assertThat(shards.nodes()).isEmpty();

            Files.delete(inTheWay);
            shards.grow(3);
            assertThat(shards.nodes()).extracting(ShardNode::name).isEqualTo(List.of("s0", "s1", "s2"));
        }
    }

    @Test
    @Execution(CONCURRENT)
    void settingThatPostgresDoesNotKnowIsNamedWithTheShard() {
        assertThatIllegalStateException()
                .isThrownBy(() -> EmbeddedShards.builder(2)
                        .directory(temporary)
                        .setting("no_such_setting", "1")
                        .start())
                .withMessageContaining("embedded PostgreSQL for shard s0 did not start")
                .withMessageContaining("unrecognized configuration parameter \"no_such_setting\"")
                .withMessageContaining("correct or remove the setting");
        assertThat(ChildJvm.left(temporary)).isEmpty();
    }

    @Test
    @Execution(CONCURRENT)
    void initSqlThatFailsIsNamedAndLeavesNothing() {
        assertThatIllegalStateException()
                .isThrownBy(() -> EmbeddedShards.builder(1)
                        .directory(temporary)
                        .initSql("create tabel x")
                        .start())
                .withMessageContaining("shard s0")
                .withMessageContaining("tabel");
        assertThat(ChildJvm.left(temporary)).isEmpty();
    }

    private EmbeddedShards start() {
        return EmbeddedShards.builder(2).directory(temporary).start();
    }
}
