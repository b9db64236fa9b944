package io.reactiverouter.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShardTests {

    private static final Shard S0 = Shard.named("s0").primary("r2dbc:postgresql://app@db0/app");

    @Test
    void settersReturnNewShards() {
        Shard changed = S0.weight(3).region("eu").tag("tier", "hot").replica("r2dbc:postgresql://app@db1/app");

        assertThat(S0.weight()).isEqualTo(1);
        assertThat(S0.nodes()).hasSize(1);
        assertThat(changed.weight()).isEqualTo(3);
        assertThat(changed.region()).isEqualTo("eu");
        assertThat(changed.tags()).containsEntry("tier", "hot");
        assertThat(changed.replicas()).extracting(node -> node.id().toString()).containsExactly("s0@db1:5432");
    }

    @Test
    void credentialsReplaceThoseOfTheUrls() {
        Shard changed = Shard.named("s0")
                .primary("r2dbc:postgresql://old:older@db0/app")
                .replica("r2dbc:postgresql://db1/app")
                .credentials("app", "new");

        assertThat(changed.nodes()).allSatisfy(node -> {
            assertThat(node.address().username()).isEqualTo("app");
            assertThat(node.address().password()).isEqualTo(Secret.of("new"));
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "-s", "s 0", "s0; drop table x", "s\u00e4", "\"s0\""})
    void hostileNameIsRefused(String name) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Shard.named(name))
                .withMessageContaining("\"" + name + "\"");
    }

    @Test
    void badShardsAreRefusedByName() {
        assertThatIllegalArgumentException().isThrownBy(() -> S0.weight(0)).withMessageContaining("s0");
        assertThatIllegalArgumentException().isThrownBy(() -> S0.weight(-1)).withMessageContaining("-1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> S0.replica("r2dbc:postgresql://app@db0/app"))
                .withMessageContaining("db0:5432 twice");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Shard.named("s7").primary("postgres://db0"))
                .withMessageStartingWith("shard s7:");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Shard.requireDistinct(List.of()))
                .withMessageContaining("at least one shard");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Shard.requireDistinct(List.of(S0, S0)))
                .withMessageContaining("s0 is used twice");
    }
}
