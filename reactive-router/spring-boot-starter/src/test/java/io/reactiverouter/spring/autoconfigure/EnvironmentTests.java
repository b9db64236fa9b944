package io.reactiverouter.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.reactiverouter.ShardCluster;
import io.reactiverouter.topology.Secret;
import io.reactiverouter.topology.Shard;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

/** The variables that {@code compose/shards.sh} prints are those of a cluster. */
class EnvironmentTests {

    private static final Path SCRIPT = Path.of("..", "..", "compose", "shards.sh");

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 6, 10})
    void aClusterComesFromTheEnvironmentAlone(int count) throws Exception {
        Map<String, Object> variables = variables(count);
        variables.put("REACTIVEROUTER_KEYSPACES_TRADING_KEY", "user_id");
        variables.put("REACTIVEROUTER_KEYSPACES_TRADING_TABLES_0", "orders");

        TestApplications.runner()
                .withInitializer(context -> context.getEnvironment()
                        .getPropertySources()
                        .replace(
                                StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME,
                                new SystemEnvironmentPropertySource(
                                        StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME, variables)))
                .run(context -> {
                    assertThat(context).hasNotFailed().hasBean("tradingShardRouter");
                    List<Shard> shards = context.getBean(ShardCluster.class).shards();
                    assertThat(shards)
                            .extracting(shard -> shard.id().value())
                            .containsExactlyElementsOf(IntStream.range(0, count)
                                    .mapToObj(i -> "s" + i)
                                    .toList());
                    for (int i = 0; i < count; i++) {
                        assertThat(shards.get(i).nodes())
                                .extracting(node -> node.id().endpoint())
                                .containsExactly("s" + i + ":5432", "s" + i + "-replica:5432");
                    }
                    assertThat(shards)
                            .allSatisfy(shard -> assertThat(shard.nodes())
                                    .extracting(node -> node.address().password())
                                    .containsOnly(Secret.file(Path.of("/run/secrets/app_password"))));
                });
    }

    private static Map<String, Object> variables(int shards) throws IOException, InterruptedException {
        assumeTrue(Files.exists(SCRIPT) && Files.exists(Path.of("/bin/bash")), "needs compose/shards.sh and bash");
        Process script = new ProcessBuilder("/bin/bash", SCRIPT.toString(), Integer.toString(shards))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String printed = new String(script.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(script.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(script.exitValue()).isZero();
        Map<String, Object> variables = new LinkedHashMap<>();
        for (String line : printed.split("\n", -1)) {
            int equals = line.indexOf('=');
            if (equals > 0) {
                variables.put(line.substring(0, equals), line.substring(equals + 1));
            }
        }
        return variables;
    }
}
