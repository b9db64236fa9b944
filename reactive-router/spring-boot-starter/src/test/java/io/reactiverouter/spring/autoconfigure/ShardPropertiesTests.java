package io.reactiverouter.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.reactiverouter.ShardCluster;
import io.reactiverouter.connection.ConnectionSettings;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.connection.TlsMode;
import io.reactiverouter.topology.NodeAddress;
import io.reactiverouter.topology.Secret;
import io.reactiverouter.topology.Shard;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.MutablePropertySources;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

class ShardPropertiesTests {

    private static final String URL = "r2dbc:postgresql://app@db%s:5432/app";

    private static final String THREE_SHARDS = """
            reactive-router.shards:
              s2.url: r2dbc:postgresql://app@db2:5432/app
              s10.url: r2dbc:postgresql://app@db10:5432/app
              s1.url: r2dbc:postgresql://app@db1:5432/app
            """;

    @Test
    void orderIsThatOfTheNamesWhateverTheFileSays() {
        assertThat(names(environment(yaml(THREE_SHARDS)))).containsExactly("s1", "s2", "s10");
    }

    @Test
    void anOverrideInAnotherSourceMovesNoShard() {
        ConfigurableEnvironment environment = environment(
                new MapPropertySource("override", Map.of("reactive-router.shards.s10.password", "secret")),
                yaml(THREE_SHARDS));

        // What makes the order of properties useless: the source with the highest precedence is bound first.
        assertThat(bind(environment).shards().keySet()).containsExactly("s10", "s2", "s1");
        assertThat(names(environment)).containsExactly("s1", "s2", "s10");
    }

    @Test
    void everythingCanComeFromTheEnvironmentOfTheProcess() {
        Map<String, Object> variables = new LinkedHashMap<>();
        variables.put("REACTIVEROUTER_SHARDS_S1_URL", URL.formatted(1));
        variables.put("REACTIVEROUTER_SHARDS_S0_URL", URL.formatted(0));
        variables.put("REACTIVEROUTER_SHARDS_S0_PASSWORD", "secret");
        variables.put("REACTIVEROUTER_SHARDS_S0_REPLICAS_0", URL.formatted("0r"));
        variables.put("REACTIVEROUTER_KEYSPACES_TRADING_KEY", "user_id");
        variables.put("REACTIVEROUTER_POOL_MAXSIZE", "3");
        variables.put("REACTIVEROUTER_WARMUP", "true");
        ConfigurableEnvironment environment =
                environment(new SystemEnvironmentPropertySource("systemEnvironment", variables));

        assertThat(names(environment)).containsExactly("s0", "s1");
        assertThat(shards(environment).get(0).replicas()).hasSize(1);
        ReactiveRouterProperties bound = bind(environment);
        assertThat(bound.keyspaces()).containsOnlyKeys("trading");
        assertThat(bound.pool().maxSize()).isEqualTo(3);
        assertThat(bound.warmup()).isTrue();
    }

    @Test
    void aNameKeepsItsDashesCaseAndUnderscores() {
        ConfigurableEnvironment environment = environment(yaml("""
                reactive-router.shards:
                  eu-West_1.url: r2dbc:postgresql://app@db1:5432/app
                """));

        assertThat(names(environment)).containsExactly("eu-West_1");
    }

    @Test
    void everyPropertyOfAShardIsUsed() {
        Shard shard = shards(environment(yaml("""
                        reactive-router.shards.s0:
                          url: r2dbc:postgresql://db0:5432/app
                          username: app
                          password: secret
                          weight: 3
                          region: eu-west
                          replicas:
                            - r2dbc:postgresql://db0a:5432/app
                            - r2dbc:postgresql://db0b:5433/app
                          tags:
                            rack: r1
                        """))).get(0);

        assertThat(shard.weight()).isEqualTo(3);
        assertThat(shard.region()).isEqualTo("eu-west");
        assertThat(shard.tags()).containsExactly(Map.entry("rack", "r1"));
        assertThat(shard.nodes())
                .extracting(node -> node.id().endpoint())
                .containsExactly("db0:5432", "db0a:5432", "db0b:5433");
        assertThat(shard.nodes()).extracting(node -> node.address().username()).containsOnly("app");
        assertThat(shard.nodes()).extracting(node -> node.address().password()).containsOnly(Secret.of("secret"));
    }

    @Test
    void aPasswordAloneKeepsTheUserNameOfTheUrlAndTheOtherWayRound() {
        NodeAddress password = primary("url: r2dbc:postgresql://app@db0:5432/app", "password: secret");
        assertThat(password.username()).isEqualTo("app");
        assertThat(password.password()).isEqualTo(Secret.of("secret"));

        NodeAddress username = primary("url: r2dbc:postgresql://app:secret@db0:5432/app", "username: other");
        assertThat(username.username()).isEqualTo("other");
        assertThat(username.password()).isEqualTo(Secret.of("secret"));
    }

    @Test
    void aPasswordCanComeFromAFileThatIsReadLater() {
        NodeAddress address =
                primary("url: r2dbc:postgresql://app:old@db0:5432/app", "password-file: /run/secrets/db-password");
        assertThat(address.username()).isEqualTo("app");
        assertThat(address.password()).isEqualTo(Secret.file(Path.of("/run/secrets/db-password")));
    }

    @Test
    void aPasswordComesFromOnePlace() {
        assertThatExceptionOfType(InvalidRouterConfigurationException.class)
                .isThrownBy(() -> primary(
                        "url: r2dbc:postgresql://app@db0:5432/app", "password: secret", "password-file: /run/password"))
                .withMessageContaining("reactive-router.shards.s0.password-file");
    }

    @Test
    void theClusterHasTheShardsInTheirOrder() {
        TestApplications.runner()
                .withPropertyValues(TestApplications.shards(11))
                .run(context -> assertThat(context.getBean(ShardCluster.class).shards())
                        .extracting(shard -> shard.id().value())
                        .containsExactly("s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10"));
    }

    @Test
    void aShardHasSettingsOfItsOwnAndTheOthersOfTheCluster() {
        TestApplications.runner()
                .withPropertyValues(TestApplications.shards(3))
                .withPropertyValues(
                        "reactive-router.pool.max-size=20",
                        "reactive-router.pool.min-size=5",
                        "reactive-router.shards.s0.pool.max-size=3",
                        "reactive-router.shards.s0.pool.min-size=1",
                        "reactive-router.shards.s1.pool.max-pending=7")
                .run(context -> assertThat(context.getBean(ShardCluster.class))
                        .satisfies(cluster -> assertThat(cluster.shards().stream()
                                        .map(shard -> cluster.poolStatistics(
                                                        shard.primary().id())
                                                .max()))
                                .containsExactly(3, 20, 20)));
    }

    @Test
    void whatAShardDoesNotSetIsAsInTheCluster() {
        ReactiveRouterProperties bound = bind(environment(yaml("""
                reactive-router.shards.s0:
                  url: r2dbc:postgresql://app@db0:5432/app
                  pool: {max-pending: 7, leak-threshold: 1m}
                  connection: {tls: verify-full, application-name: of-s0}
                """)));
        PoolSettings pool = PoolSettings.DEFAULTS.withMaxSize(20).withAcquireTimeout(Duration.ofSeconds(1));
        ConnectionSettings connection = ConnectionSettings.DEFAULTS.withConnectTimeout(Duration.ofSeconds(1));

        ReactiveRouterProperties.Shard shard =
                Objects.requireNonNull(bound.shards().get("s0"));
        assertThat(ConfiguredSettings.pool("at.", pool, Objects.requireNonNull(shard.pool())))
                .isEqualTo(pool.withMaxPending(7).withLeakThreshold(Duration.ofMinutes(1)));
        assertThat(ConfiguredSettings.connection("at.", connection, Objects.requireNonNull(shard.connection())))
                .isEqualTo(connection.withTls(TlsMode.VERIFY_FULL).withApplicationName("of-s0"));
    }

    @Test
    void settingsOfAShardThatIsNotThereAreRefused() {
        TestApplications.runner()
                .withPropertyValues("reactive-router.shards.s7.pool.max-size=3")
                .withBean(
                        ShardsConnectionDetails.class,
                        () -> () -> List.of(Shard.named("own").primary("r2dbc:postgresql://app@db0/app")))
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .isInstanceOf(InvalidRouterConfigurationException.class)
                        .hasMessageContaining("reactive-router.shards.s7.pool")
                        .hasMessageContaining("[own]"));
    }

    private static NodeAddress primary(String... lines) {
        String yaml = "reactive-router.shards.s0:\n  " + String.join("\n  ", lines) + "\n";
        return shards(environment(yaml(yaml))).get(0).primary().address();
    }

    private static List<String> names(ConfigurableEnvironment environment) {
        return shards(environment).stream().map(shard -> shard.id().value()).toList();
    }

    private static List<Shard> shards(ConfigurableEnvironment environment) {
        return new PropertiesShardsConnectionDetails(bind(environment)).shards();
    }

    private static ReactiveRouterProperties bind(ConfigurableEnvironment environment) {
        return Binder.get(environment).bindOrCreate(ReactiveRouterProperties.PREFIX, ReactiveRouterProperties.class);
    }

    /** The first source has the highest precedence. */
    private static ConfigurableEnvironment environment(PropertySource<?>... ordered) {
        ConfigurableEnvironment environment = new StandardEnvironment();
        MutablePropertySources sources = environment.getPropertySources();
        sources.stream().map(PropertySource::getName).toList().forEach(sources::remove);
        for (PropertySource<?> source : ordered) {
            sources.addLast(source);
        }
        ConfigurationPropertySources.attach(environment);
        return environment;
    }

    private static PropertySource<?> yaml(String text) {
        return TestApplications.yaml("yaml", text);
    }
}
