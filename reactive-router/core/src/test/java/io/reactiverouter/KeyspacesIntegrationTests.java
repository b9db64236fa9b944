package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.awaitQuiet;
import static io.reactiverouter.TestClusters.number;
import static io.reactiverouter.order.SortKey.asc;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.reactiverouter.aggregate.AggregateRow;
import io.reactiverouter.aggregate.Aggregation;
import io.reactiverouter.audit.TableAudit;
import io.reactiverouter.routing.Placement;
import io.reactiverouter.routing.StalePlacementException;
import io.reactiverouter.scatter.Gathered;
import io.reactiverouter.scatter.ScatterManifest;
import io.reactiverouter.scatter.ShardOutcome;
import io.reactiverouter.strategy.Directory;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.Ranges;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.strategy.UnroutableKeyException;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.ShardId;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import reactor.core.publisher.Flux;
import reactor.test.StepVerifier;

/** Several keyspaces with different strategies on one cluster. */
@NullUnmarked
class KeyspacesIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3);

    private static final String APP = "keyspaces-tests";
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    private static final ShardId S0 = ShardId.of("s0");
    private static final ShardId S1 = ShardId.of("s1");
    private static final ShardId S2 = ShardId.of("s2");

    private static ShardCluster cluster;
    private static ShardRouter trading;
    private static ShardRouter tenants;
    private static ShardRouter products;
    private static ShardRouter measurements;

    @BeforeAll
    static void open() {
        TestClusters.sql(
                SHARDS,
                "create table trades (user_id bigint not null);"
                        + " create table accounts (user_id bigint not null);"
                        + " create table users (tenant_id integer not null);"
                        + " create table products (category text not null);"
                        + " create table measurements (at timestamptz not null)");
        cluster = TestClusters.over(SHARDS, APP).build();
        trading = cluster.router(Keyspace.named("trading").key("user_id").tables("trades", "accounts"));
        tenants = cluster.router(
                Keyspace.named("tenants").key("tenant_id").tables("users").strategy(ShardingStrategy.modulo()));
        products = cluster.router(Keyspace.named("products")
                .key("category")
                .tables("products")
                .strategy(ShardingStrategy.directory(
                        ShardingStrategy.consistentHash(), Map.of(ShardKey.of("books"), S2))));
        measurements = cluster.router(Keyspace.named("measurements")
                .key("at")
                .tables("measurements")
                .strategy(Ranges.startingAt(month(0))
                        .upTo(month(1), S0)
                        .upTo(month(2), S1)
                        .upTo(month(3), S0)
                        .andAbove(S2)));
    }

    private static ShardKey month(int index) {
        return ShardKey.of(START.plus(30L * index, ChronoUnit.DAYS));
    }

    @AfterEach
    void nothingIsLeftBehind() {
        awaitQuiet(cluster, SHARDS, APP);
    }

    @AfterAll
    static void close() {
        cluster.close().block(TIMEOUT);
    }

    @Test
    void everyKeyspacePlacesByItsOwnRule() {
        for (int i = 0; i < 60; i++) {
            insert(trading, "trades", ShardKey.of(i));
            insert(trading, "accounts", ShardKey.of(i));
            insert(tenants, "users", ShardKey.of(i));
            insert(products, "products", ShardKey.of("category " + i));
            insert(measurements, "measurements", ShardKey.of(START.plus(2L * i, ChronoUnit.DAYS)));
        }
        insert(products, "products", ShardKey.of("books"));

        for (ShardRouter router : List.of(trading, tenants, products, measurements)) {
            List<TableAudit> audits = router.audit().collectList().block(TIMEOUT);
            assertThat(audits)
                    .hasSize(3 * router.placement().keyspace().tables().size());
            assertThat(audits).allSatisfy(audit -> {
                assertThat(audit.misplaced()).as("misplaced rows of %s", audit).isZero();
                assertThat(audit.rows()).as("rows of %s", audit).isPositive();
            });
            assertThat(audits.stream().mapToLong(TableAudit::rows).sum())
                    .isGreaterThanOrEqualTo(
                            60L * router.placement().keyspace().tables().size());
        }
        for (ShardNode node : SHARDS.nodes()) {
            int index = Integer.parseInt(node.name().substring(1));
            assertThat(number(node, "select count(*) from users where tenant_id % 3 <> " + index))
                    .isZero();
            assertThat(number(
                            node,
                            "select count(*) from trades t full join accounts a using (user_id)"
                                    + " where t.user_id is null or a.user_id is null"))
                    .as("tables of a keyspace lie together")
                    .isZero();
        }
        assertThat(number(SHARDS.node(2), "select count(*) from products where category = 'books'"))
                .isPositive();
    }

    @Test
    void rangeQueriesAskOnlyShardsThatCanHoldRows() {
        assertThat(asked(measurements.between(month(0), ShardKey.of(START.plus(1, ChronoUnit.DAYS)))))
                .containsExactly(S0);
        assertThat(asked(measurements.between(month(1), month(2)))).containsExactlyInAnyOrder(S0, S1);
        assertThat(asked(measurements.between(month(0), month(40)))).containsExactlyInAnyOrder(S0, S1, S2);
        assertThat(asked(trading.between(ShardKey.of(1), ShardKey.of(9)))).containsExactlyInAnyOrder(S0, S1, S2);
        assertThat(asked(trading.between(ShardKey.of(9), ShardKey.of(9)))).hasSize(1);

        ShardKey before = ShardKey.of(START.minusSeconds(9));
        ScatterOperations nowhere = measurements.between(before, before);
        assertThat(asked(nowhere)).isEmpty();
        Query none = Query.of("select user_id from trades where false");
        StepVerifier.create(nowhere.orderBy(asc("user_id")).query(none, row -> 1))
                .expectComplete()
                .verify(TIMEOUT);
        assertThat(nowhere.aggregate(none, Aggregation.ofAll().count("n").sum("user_id", "s"))
                        .map(AggregateRow::toString)
                        .collectList()
                        .block(TIMEOUT))
                .containsExactly("AggregateRow[n=0, s=null]");
        StepVerifier.create(nowhere.reduce(none, row -> 1, () -> 7, Integer::sum, Integer::sum))
                .expectNext(7)
                .expectComplete()
                .verify(TIMEOUT);
        StepVerifier.create(measurements.between(month(2), month(1)).query(Query.of("select 1"), row -> 1))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(UnroutableKeyException.class)
                        .hasMessageContaining("upside down"))
                .verify(TIMEOUT);
        StepVerifier.create(measurements.shard(before).update(Query.of("select 1")))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(UnroutableKeyException.class)
                        .hasMessageContaining("outside of all ranges"))
                .verify(TIMEOUT);
    }

    private static List<ShardId> asked(ScatterOperations operations) {
        ScatterManifest manifest = operations
                .gather(Query.of("select 1"), row -> 1)
                .ofType(Gathered.Manifest.class)
                .map(last -> ((Gathered.Manifest<?>) last).manifest())
                .blockLast(TIMEOUT);
        return manifest.outcomes().stream().map(ShardOutcome::shard).toList();
    }

    @Test
    void pinsChangeAtRunTime() {
        ShardRouter router = cluster.router(Keyspace.named("pinned")
                .key("tenant_id")
                .strategy(ShardingStrategy.directory(ShardingStrategy.modulo(), Map.of())));
        ShardKey tenant = ShardKey.of(3);
        ShardOperations calls = router.shard(tenant);
        assertThat(calls.locate().block(TIMEOUT)).isEqualTo(S0);
        Placement first = router.placement();

        Placement second = router.replacePlacement(first, ((Directory) first.strategy()).pin(tenant, S1));

        assertThat(second.epoch()).isEqualTo(2);
        assertThat(calls.locate().block(TIMEOUT))
                .as("calls made before follow with their next subscription")
                .isEqualTo(S1);
        assertThatExceptionOfType(StalePlacementException.class)
                .isThrownBy(() -> router.replacePlacement(first, first.strategy()));
        assertThat(Placement.fromJson(second.toJson()).strategy()).isEqualTo(second.strategy());
        assertThat(router.distribution(List.of(tenant, ShardKey.of(6))).shards())
                .extracting(share -> share.count())
                .containsExactly(1L, 1L, 0L);
    }

    private static void insert(ShardRouter router, String table, ShardKey key) {
        Flux.from(router.shard(key).update(Query.of("insert into " + table + " values ($1)", key.parameter())))
                .blockLast(TIMEOUT);
    }
}
