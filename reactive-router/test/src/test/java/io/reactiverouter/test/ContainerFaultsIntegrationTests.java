package io.reactiverouter.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.junit.jupiter.api.parallel.ExecutionMode.CONCURRENT;

import com.github.dockerjava.api.DockerClient;
import java.sql.Connection;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.parallel.Execution;
import org.testcontainers.DockerClientFactory;

/** The contract on containers, where there is Docker, and what is to be seen of those. */
@EnabledIf(
        value = "io.reactiverouter.test.ContainerShards#dockerAvailable",
        disabledReason = "no Docker engine answers")
@Timeout(value = 5, unit = TimeUnit.MINUTES) // the first run fetches the image
class ContainerFaultsIntegrationTests extends FaultsContract {

    ContainerFaultsIntegrationTests() {
        super(ServersUnderTest.CONTAINERS);
    }

    @Test
    @Execution(CONCURRENT)
    void closedShardsLeaveNeitherContainersNorTheirNetwork() {
        ContainerShards containers = (ContainerShards) shards();
        List<String> ids = containers.ids();
        assertThat(ids).hasSize(2);
        assertThat(existing(ids)).isEqualTo(ids);
        String network = String.valueOf(containers.networkId());
        assertThat(networks()).contains(network);
        shards().server(0).pause();

        containers.close();
        containers.close();

        assertThat(existing(ids)).isEmpty();
        assertThat(networks()).doesNotContain(network);
    }

    @Test
    @Execution(CONCURRENT)
    void serverWhoseCopyFailsIsDownAndHasItsDataStill() throws Exception {
        ShardServer primary = shards().server(0);
        ShardServer replica = shards().server(0, 1);
        primary.node().execute("insert into t values (1)");
        replica.awaitReplayOf(primary);
        replica.promote();
        primary.node().execute("insert into t values (2)");
        try (Connection connection = replica.node().openSuperuserJdbc();
                Statement statement = connection.createStatement()) {
            statement.execute("copy (select 'local all all trust' union all select 'host all all all scram-sha-256')"
                    + " to '/var/lib/postgresql/reactive-router/pg_hba.conf'");
            statement.execute("select pg_reload_conf()");
        }

        assertThatIllegalStateException()
                .isThrownBy(() -> primary.follow(replica))
                .withMessageContaining("s0 did not start")
                .withMessageContaining("no pg_hba.conf entry for replication");

        assertThat(primary.running()).isFalse();
        primary.start();
        assertThat(primary.node().number("select count(*) from t")).isEqualTo(2);
    }

    @Test
    @Execution(CONCURRENT)
    void settingThatPostgresDoesNotKnowIsNamedWithTheShard() {
        assertThatIllegalStateException()
                .isThrownBy(() -> ContainerShards.builder(1)
                        .setting("no_such_setting", "1")
                        .start())
                .withMessageContaining("s0 did not start")
                .withMessageContaining("unrecognized configuration parameter \"no_such_setting\"");
    }

    private static List<String> existing(List<String> ids) {
        DockerClient docker = DockerClientFactory.lazyClient();
        List<String> all = docker.listContainersCmd().withShowAll(true).exec().stream()
                .map(container -> container.getId())
                .toList();
        return ids.stream().filter(all::contains).toList();
    }

    private static List<String> networks() {
        DockerClient docker = DockerClientFactory.lazyClient();
        return docker.listNetworksCmd().exec().stream()
                .map(network -> network.getId())
                .toList();
    }
}
