package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.number;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.reactiverouter.connection.WrongDatabaseException;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import reactor.core.publisher.Flux;
import reactor.test.StepVerifier;

@NullUnmarked
class IdentityIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(2).initSql("create table t (id int)");

    private final List<ShardCluster> clusters = new ArrayList<>();

    @BeforeEach
    void forget() {
        TestClusters.sql(SHARDS, "drop schema if exists reactive_router cascade; truncate t");
    }

    @AfterEach
    void close() {
        clusters.forEach(cluster -> cluster.close().block(TIMEOUT));
    }

    @Test
    void databaseThatSaysThatItIsAnotherShardIsRefusedBeforeAStatementRuns() {
        open("trading", 0, 1).writeIdentities().block(TIMEOUT);
        write(open("trading", 0, 1), "s0");

        // The URLs are those of each other.
        ShardCluster crossed = open("trading", 1, 0);
        StepVerifier.create(crossed.shard(ShardId.of("s0")).update(Query.of("insert into t values (1)")))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(WrongDatabaseException.class)
                        .hasMessageContaining(
                                "node s0@127.0.0.1:" + SHARDS.node(1).port())
                        .hasMessageContaining("it is shard s1 of cluster trading")
                        .hasMessageContaining("correct the URL"))
                .verify(TIMEOUT);
        assertThat(number(SHARDS.node(1), "select count(*) from t")).isZero();
    }

    @Test
    void shardIsLookedAtWithoutANameTooAndClustersOnlyWithOne() {
        open("trading", 0, 1).writeIdentities().block(TIMEOUT);
        write(open(null, 0, 1), "s1");
        StepVerifier.create(open(null, 1, 0).warmup())
                .expectErrorSatisfies(
                        error -> assertThat(error).hasStackTraceContaining(WrongDatabaseException.class.getName()))
                .verify(TIMEOUT);
        StepVerifier.create(open("other", 0, 1).warmup())
                .expectErrorSatisfies(error -> assertThat(error)
                        .hasStackTraceContaining("of cluster trading, and should be one of cluster other"))
                .verify(TIMEOUT);
    }

    @Test
    void clusterWithANameRefusesDatabasesThatSayNothing() {
        StepVerifier.create(open("trading", 0, 1).shard(ShardId.of("s0")).update(Query.of("insert into t values (1)")))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(WrongDatabaseException.class)
                        .hasMessageContaining("writeIdentities()"))
                .verify(TIMEOUT);
        TestClusters.sql(
                SHARDS,
                "create schema reactive_router; create table reactive_router.identity (cluster text, shard text)");
        StepVerifier.create(open("trading", 0, 1).warmup())
                .expectErrorSatisfies(error -> assertThat(error).hasStackTraceContaining("writeIdentities()"))
                .verify(TIMEOUT);
    }

    @Test
    void writingAgainChangesNothingAndNeverOverwrites() {
        ShardCluster cluster = open("trading", 0, 1);
        Flux.range(0, 8).flatMap(i -> cluster.writeIdentities()).blockLast(TIMEOUT);
        assertThat(number(SHARDS.node(0), "select count(*) from reactive_router.identity where shard = 's0'"))
                .isEqualTo(1);
        StepVerifier.create(open("other", 0, 1).writeIdentities())
                .expectErrorSatisfies(error -> assertThat(error).hasStackTraceContaining("it is shard s"))
                .verify(TIMEOUT);
        assertThat(number(SHARDS.node(1), "select count(*) from reactive_router.identity where cluster = 'trading'"))
                .isEqualTo(1);
        cluster.warmup().block(TIMEOUT);
    }

    @Test
    void loginWithoutRightsIsToldWhichItNeeds() throws Exception {
        open("trading", 0, 1).writeIdentities().block(TIMEOUT);
        try (var connection = SHARDS.node(0).openSuperuserJdbc();
                var statement = connection.createStatement()) {
            statement.execute("drop role if exists reader");
            statement.execute("create role reader login password 'reader'");
        }
        ShardCluster reading = ShardCluster.builder()
                .name("trading")
                .shard(Shard.named("s0").primary(SHARDS.node(0).r2dbcUrl()).credentials("reader", "reader"))
                .build();
        clusters.add(reading);
        reading.warmup().block(TIMEOUT);
        // What is written already needs no right to make tables.
        reading.writeIdentities().block(TIMEOUT);

        TestClusters.sql(SHARDS, "revoke all on schema reactive_router from public");
        ShardCluster refused = ShardCluster.builder()
                .shard(Shard.named("s0").primary(SHARDS.node(0).r2dbcUrl()).credentials("reader", "reader"))
                .build();
        clusters.add(refused);
        StepVerifier.create(refused.shard(ShardId.of("s0")).update(Query.of("select 1")))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(WrongDatabaseException.class)
                        .hasMessageContaining("grant usage on schema reactive_router"))
                .verify(TIMEOUT);
    }

    @Test
    void nameIsNeeded() {
        assertThatIllegalStateException()
                .isThrownBy(() -> open(null, 0, 1).writeIdentities())
                .withMessageContaining("name(...)");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ShardCluster.builder().name(" "));
    }

    private static void write(ShardCluster cluster, String shard) {
        assertThat(cluster.shard(ShardId.of(shard))
                        .update(Query.of("insert into t values (1)"))
                        .block(TIMEOUT))
                .isEqualTo(1);
        TestClusters.sql(SHARDS, "truncate t");
    }

    private ShardCluster open(String name, int first, int second) {
        ShardCluster.Builder builder = ShardCluster.builder()
                .shard(Shard.named("s0").primary(SHARDS.node(first).r2dbcUrl()))
                .shard(Shard.named("s1").primary(SHARDS.node(second).r2dbcUrl()));
        ShardCluster cluster = (name == null ? builder : builder.name(name)).build();
        clusters.add(cluster);
        return cluster;
    }
}
