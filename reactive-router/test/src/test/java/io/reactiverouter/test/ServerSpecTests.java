package io.reactiverouter.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ServerSpecTests {

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 65})
    void numberOfShardsIsBounded(int count) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EmbeddedShards.start(count))
                .withMessage("number of shards must be 1 to 64, was " + count);
        assertThatIllegalArgumentException().isThrownBy(() -> ContainerShards.builder(count));
        assertThatIllegalArgumentException().isThrownBy(() -> ShardsExtension.embedded(count));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "App", "a b", "a\"; drop database x", "1a", "a-b", "\u00e4"})
    void hostileNamesAreRefused(String name) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EmbeddedShards.builder(1).database(name))
                .withMessageContaining("database name")
                .withMessageContaining("\"" + name + "\"");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EmbeddedShards.builder(1).username(name))
                .withMessageContaining("user name");
    }

    @Test
    void otherBadInputIsRefused() {
        for (String reserved : List.of("postgres", "public", "none", "pg_monitor")) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> EmbeddedShards.builder(1).username(reserved))
                    .withMessageContaining("one of PostgreSQL's own");
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EmbeddedShards.builder(1).password(""))
                .withMessageContaining("password must not be empty");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EmbeddedShards.builder(1).setting("x = 1\ny", "2"))
                .withMessageContaining("name of a PostgreSQL setting");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EmbeddedShards.builder(1).setting("work_mem", "1MB\nport = 1"))
                .withMessageContaining("work_mem must be one line");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EmbeddedShards.builder(1).setting("timezone", "UTC; touch /tmp/x"))
                .withMessageContaining("timezone")
                .withMessageContaining("\"UTC; touch /tmp/x\"");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EmbeddedShards.builder(1).database("template1"))
                .withMessageContaining("one of PostgreSQL's own");
    }

    @ParameterizedTest
    @ValueSource(strings = {"listen_addresses", "PORT", "hba_file", "data_directory", "logging_collector"})
    void settingsThatTheKitNeedsAreRefused(String name) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ContainerShards.builder(1).setting(name, "x"))
                .withMessage("setting " + name.toLowerCase(Locale.ROOT)
                        + " belongs to the test kit, which needs it to reach the server; remove it");
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 9})
    void numberOfReplicasIsBounded(int replicas) {
        String message = "number of replicas of a shard must be 0 to 8, was " + replicas;
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EmbeddedShards.builder(1).replicas(replicas))
                .withMessage(message);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ContainerShards.builder(1).replicas(replicas))
                .withMessage(message);
    }

    @Test
    void settingsAreQuotedInTheConfiguration() {
        assertThat(ServerSpec.DEFAULTS
                        .withSetting("log_line_prefix", "%m it's \\ [%p] ")
                        .configuration())
                .contains("\nlog_line_prefix = '%m it''s \\\\ [%p] '\n");
    }

    @Test
    void passwordsDoNotPrintAndUrlsAreEncoded() {
        ShardNode node = new ShardNode(
                "s0",
                "127.0.0.1",
                5432,
                "app",
                new ShardNode.Login("app", "s@cr:et /%+"),
                new ShardNode.Login("postgres", "other"));

        assertThat(node.toString()).doesNotContain("s@cr").contains("app@127.0.0.1:5432/app");
        assertThat(node.r2dbcUrl()).isEqualTo("r2dbc:postgresql://app:s%40cr%3Aet%20%2F%25%2B@127.0.0.1:5432/app");
        assertThat(node.jdbcUrl())
                .isEqualTo("jdbc:postgresql://127.0.0.1:5432/app?user=app&password=s%40cr%3Aet%20%2F%25%2B");
        assertThat(ServerSpec.DEFAULTS.withPassword("sentinel").toString()).doesNotContain("sentinel");
    }
}
