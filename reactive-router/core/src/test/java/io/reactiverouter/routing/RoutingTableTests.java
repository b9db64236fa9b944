package io.reactiverouter.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.reactiverouter.strategy.Directory;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.Modulo;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.util.List;
import org.junit.jupiter.api.Test;

class RoutingTableTests {

    private static final Shard S0 = Shard.named("s0").primary("r2dbc:postgresql://app@db0/app");
    private static final Shard S1 = Shard.named("s1").primary("r2dbc:postgresql://app@db1/app");
    private static final Keyspace TENANTS =
            Keyspace.named("tenants").key("tenant_id").strategy(ShardingStrategy.modulo());

    private final RoutingTable table = new RoutingTable(List.of(S0, S1));

    @Test
    void keysAreGroupedByShardInTheirOrder() {
        table.place(TENANTS);

        Route.Several route = table.route(
                "tenants", List.of(ShardKey.of(3), ShardKey.of(2), ShardKey.of(1), ShardKey.of(3), ShardKey.of(4)));

        assertThat(route.keysByShard())
                .containsEntry(S1.id(), List.of(ShardKey.of(3), ShardKey.of(1), ShardKey.of(3)))
                .containsEntry(S0.id(), List.of(ShardKey.of(2), ShardKey.of(4)));
        assertThat(route.shards()).containsExactly(S1.id(), S0.id());
    }

    @Test
    void placingAgainGivesTheSamePlacement() {
        assertThat(table.place(TENANTS)).isSameAs(table.place(TENANTS));
        assertThat(table.placement("tenants").epoch()).isEqualTo(1);
        assertThat(table.routeAll("tenants").shards()).containsExactly(S0.id(), S1.id());
    }

    @Test
    void anotherKeyspaceOfTheSameNameIsRefused() {
        table.place(TENANTS);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> table.place(Keyspace.named("tenants").key("id")))
                .withMessageContaining("keyspace tenants is placed already");
    }

    @Test
    void strategyOverUnknownShardsIsRefused() {
        Keyspace keyspace = Keyspace.named("k").key("id").strategy((ShardingStrategy)
                Modulo.over(List.of(Shard.named("s9").primary("r2dbc:postgresql://app@db9/app"))));

        assertThatIllegalArgumentException()
                .isThrownBy(() -> table.place(keyspace))
                .withMessageContaining("shard s9")
                .withMessageContaining("[s0, s1]");
    }

    @Test
    void unknownNamesAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> table.primary(ShardId.of("s9")))
                .withMessageContaining("s9")
                .withMessageContaining("[s0, s1]");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> table.placement("nope"))
                .withMessageContaining("nope");
    }

    @Test
    void replacementHasTheNextEpochAndIsSeenAtOnce() {
        ShardKey tenant = ShardKey.of(2);
        Placement first = table.place(TENANTS);

        Placement second = table.replace(first, Directory.over(first.strategy()).pin(tenant, S1.id()));

        assertThat(second.epoch()).isEqualTo(2);
        assertThat(table.placement("tenants")).isSameAs(second);
        assertThat(table.route("tenants", tenant).shard()).isEqualTo(S1.id());
        assertThat(table.route("tenants", ShardKey.of(4)).shard()).isEqualTo(S0.id());
        assertThat(table.place(TENANTS)).as("the router of the same keyspace").isSameAs(second);
    }

    @Test
    void staleReplacementIsRefused() {
        Placement first = table.place(TENANTS);
        table.replace(first, Modulo.of(List.of(S1.id())));

        assertThatExceptionOfType(StalePlacementException.class)
                .isThrownBy(() -> table.replace(first, Modulo.of(List.of(S0.id()))))
                .withMessageContaining("keyspace tenants")
                .withMessageContaining("epoch 1")
                .withMessageContaining("epoch 2");
        assertThat(table.route("tenants", ShardKey.of(2)).shard()).isEqualTo(S1.id());
    }

    @Test
    void replacementOverUnknownShardsIsRefused() {
        Placement first = table.place(TENANTS);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> table.replace(first, Modulo.of(List.of(ShardId.of("s9")))))
                .withMessageContaining("shard s9");
        assertThat(table.placement("tenants")).isSameAs(first);
    }
}
