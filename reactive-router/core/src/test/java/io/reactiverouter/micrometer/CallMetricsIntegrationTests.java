package io.reactiverouter.micrometer;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.await;
import static io.reactiverouter.TestClusters.shardsOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.KeyspaceStatistics;
import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.ShardRows;
import io.reactiverouter.TestClusters;
import io.reactiverouter.observation.CallInstrumentation;
import io.reactiverouter.scatter.FailurePolicy;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Figures of real calls. */
@NullUnmarked
class CallMetricsIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(2);

    private static final Keyspace KEYSPACE =
            Keyspace.named("trading").key("user_id").tables("metered").strategy(ShardingStrategy.modulo());
    private static final Query ONE = Query.of("select 1::bigint");

    private final MeterRegistry registry = new SimpleMeterRegistry();
    private final CallMetrics metrics = new CallMetrics(registry);
    private ShardCluster cluster;
    private ShardRouter trading;

    @BeforeEach
    void open() {
        cluster = ShardCluster.builder()
                .shards(shardsOf(SHARDS))
                .instrumentation(metrics)
                .listener(metrics)
                .build();
        trading = cluster.router(KEYSPACE);
    }

    @AfterEach
    void close() {
        cluster.close().block(TIMEOUT);
    }

    @Test
    void callsAndTheirAttemptsAreTimed() {
        for (int i = 0; i < 3; i++) {
            one(3);
        }
        cluster.shard(ShardId.of("s0")).update(ONE).block(TIMEOUT);
        Timer calls = timer(RouterMeter.CALLS, "keyspace", "trading", "outcome", "success");
        assertThat(calls.count()).isEqualTo(3);
        assertThat(calls.getId().getTag("operation")).isEqualTo("query");
        assertThat(calls.getId().getTag("kind")).isEqualTo("single");
        Timer attempts = timer(RouterMeter.ATTEMPTS, "keyspace", "trading", "shard", "s1", "outcome", "success");
        assertThat(attempts.count()).isEqualTo(3);
        assertThat(attempts.getId().getTag("role")).isEqualTo("primary");
        assertThat(attempts.totalTime(TimeUnit.NANOSECONDS)).isPositive();
        assertThat(timer(RouterMeter.FIRST_ROW, "shard", "s1").count()).isEqualTo(3);
        assertThat(timer(RouterMeter.ACQUIRE, "shard", "s1", "outcome", "acquired")
                        .count())
                .isEqualTo(3);
        assertThat(timer(RouterMeter.CALLS, "keyspace", RouterMeter.NO_KEYSPACE, "outcome", "success")
                        .count())
                .isEqualTo(1);
        // A series that is there from the first call on shows an increase with its first error.
        assertThat(timer(RouterMeter.CALLS, "keyspace", "trading", "outcome", "error")
                        .count())
                .isZero();
        assertThat(timer(RouterMeter.ATTEMPTS, "keyspace", RouterMeter.NO_KEYSPACE, "shard", "s0", "outcome", "success")
                        .count())
                .isEqualTo(1);
    }

    /** As the demo's console has its own beside the application's. */
    @Test
    void twoOfThemCountTheSame() {
        SimpleMeterRegistry other = new SimpleMeterRegistry();
        ShardCluster watchedTwice = ShardCluster.builder()
                .shards(shardsOf(SHARDS))
                .instrumentation(CallInstrumentation.of(List.of(metrics, new CallMetrics(other))))
                .build();
        watchedTwice
                .router(KEYSPACE)
                .allShards()
                .query(ONE, row -> row.get(0, Long.class))
                .blockLast(TIMEOUT);
        watchedTwice.router(KEYSPACE).shard(ShardKey.of(2L)).update(ONE).block(TIMEOUT);

        assertThat(counts(other)).isEqualTo(counts(registry)).hasSizeGreaterThan(5);
        assertThat(registry.find(RouterMeter.ATTEMPTS.meterName()).timers())
                .allMatch(timer -> "trading".equals(timer.getId().getTag("keyspace")));
        watchedTwice.close().block(TIMEOUT);
    }

    private static Map<Meter.Id, Long> counts(MeterRegistry registry) {
        return registry.getMeters().stream()
                .filter(Timer.class::isInstance)
                .collect(Collectors.toMap(Meter::getId, meter -> ((Timer) meter).count()));
    }

    @Test
    void failureAndCancelAreOutcomes() {
        assertThatThrownBy(() -> trading.shard(ShardKey.of(2L))
                        .update(Query.of("select 1/0"))
                        .block(TIMEOUT))
                .isInstanceOf(R2dbcException.class);
        assertThat(timer(RouterMeter.CALLS, "operation", "update", "outcome", "error")
                        .count())
                .isEqualTo(1);
        assertThat(timer(RouterMeter.ATTEMPTS, "shard", "s0", "outcome", "error")
                        .count())
                .isEqualTo(1);
        trading.shard(ShardKey.of(2L))
                .query(
                        Query.of("select generate_series(1, 100000)::bigint").fetchSize(10),
                        row -> row.get(0, Long.class))
                .take(3)
                .blockLast(TIMEOUT);
        assertThat(timer(RouterMeter.CALLS, "operation", "query", "outcome", "cancelled")
                        .count())
                .isEqualTo(1);
        await(
                "the attempt has ended",
                TIMEOUT,
                () -> registry.find(RouterMeter.ATTEMPTS.meterName()).tags("outcome", "cancelled").timers().stream()
                                .mapToLong(Timer::count)
                                .sum()
                        == 1);
    }

    @Test
    void scatterAsksAllAndMayBePartial() {
        trading.allShards().query(ONE, row -> row.get(0, Long.class)).blockLast(TIMEOUT);
        Query failsOnOne =
                Query.of("select 1 / (inet_server_port() - " + SHARDS.node(0).port() + ")::bigint");
        trading.allShards()
                .onFailure(FailurePolicy.BEST_EFFORT)
                .query(failsOnOne, row -> row.get(0, Long.class))
                .blockLast(TIMEOUT);
        assertThat(registry.get(RouterMeter.SCATTER_SHARDS.meterName())
                        .tag("keyspace", "trading")
                        .summary()
                        .takeSnapshot())
                .satisfies(snapshot -> {
                    assertThat(snapshot.count()).isEqualTo(2);
                    assertThat(snapshot.max()).isEqualTo(2);
                });
        assertThat(timer(RouterMeter.CALLS, "kind", "scatter", "outcome", "success")
                        .count())
                .isEqualTo(1);
        assertThat(timer(RouterMeter.CALLS, "kind", "scatter", "outcome", "partial")
                        .count())
                .isEqualTo(1);
        assertThat(timer(RouterMeter.ATTEMPTS, "kind", "scatter", "shard", "s0", "outcome", "error")
                        .count())
                .isEqualTo(1);
        assertThat(timer(RouterMeter.ATTEMPTS, "kind", "scatter", "shard", "s1", "outcome", "success")
                        .count())
                .isEqualTo(2);
    }

    @Test
    void poolsAndNodesAreGauges() {
        new ClusterMeters(cluster::status).bindTo(registry);
        cluster.warmup().block(TIMEOUT);
        one(2);
        await("probes have answered", TIMEOUT, () -> gauge(RouterMeter.NODE_LATENCY, "s0") > 0);
        assertThat(gauge(RouterMeter.NODE_HEALTHY, "s0")).isEqualTo(1);
        assertThat(gauge(RouterMeter.NODE_PRIMARY, "s0")).isEqualTo(1);
        assertThat(gauge(RouterMeter.NODE_BREAKER, "s0")).isZero();
        assertThat(gauge(RouterMeter.POOL_MAX, "s0")).isEqualTo(10);
        await(
                "a connection is idle",
                TIMEOUT,
                () -> registry.get(RouterMeter.POOL_CONNECTIONS.meterName())
                                .tags("shard", "s0", "state", "idle")
                                .gauge()
                                .value()
                        >= 1);
        assertThat(registry.get(RouterMeter.POOL_OPENED.meterName())
                        .tags("shard", "s0")
                        .functionCounter()
                        .count())
                .isPositive();
    }

    @Test
    void rowsAndKeysComeFromThePlanner() {
        TestClusters.sql(
                SHARDS,
                "create table metered (user_id bigint, id bigint) partition by range (id);"
                        + "create table metered_1 partition of metered for values from (0) to (500);"
                        + "create table metered_2 partition of metered for values from (500) to (1000);");
        TestClusters.sql(SHARDS.node(0), "insert into metered select 2 * (i % 50), i from generate_series(0, 899) i");
        TestClusters.sql(
                SHARDS.node(1), "insert into metered select 2 * (i % 10) + 1, i from generate_series(0, 299) i");
        assertThat(trading.statistics().block(TIMEOUT).rows())
                .as("never analyzed")
                .isZero();
        TestClusters.sql(SHARDS, "analyze metered");
        KeyspaceStatistics statistics = trading.statistics().block(TIMEOUT);
        assertThat(statistics.shards())
                .containsExactly(new ShardRows(ShardId.of("s0"), 900, 50), new ShardRows(ShardId.of("s1"), 300, 10));
        assertThat(statistics.imbalance()).isEqualTo(0.5);
        assertThat(statistics.rows()).isEqualTo(1200);
        assertThat(statistics.epoch()).isEqualTo(trading.placement().epoch());

        KeyspaceMeters meters = new KeyspaceMeters(
                "trading",
                List.of(ShardId.of("s0"), ShardId.of("s1")),
                () -> trading.placement().epoch());
        meters.bindTo(registry);
        assertThat(gauge(RouterMeter.SHARD_ROWS, "s0")).isNaN();
        meters.update(by(statistics, ShardRows::rows), by(statistics, ShardRows::keys), statistics.imbalance());
        assertThat(gauge(RouterMeter.SHARD_ROWS, "s0")).isEqualTo(900);
        assertThat(gauge(RouterMeter.SHARD_KEYS, "s1")).isEqualTo(10);
        assertThat(registry.get(RouterMeter.KEYSPACE_IMBALANCE.meterName())
                        .gauge()
                        .value())
                .isEqualTo(0.5);
        assertThat(registry.get(RouterMeter.KEYSPACE_EPOCH.meterName()).gauge().value())
                .isEqualTo((double) statistics.epoch());
    }

    private static Map<ShardId, Long> by(KeyspaceStatistics statistics, Function<ShardRows, Long> figure) {
        return statistics.shards().stream().collect(Collectors.toMap(ShardRows::shard, figure));
    }

    /** What the enum says is what there is. */
    @Test
    void everyMeterIsInTheEnumWithItsTagsAndType() {
        new ClusterMeters(cluster::status).bindTo(registry);
        new KeyspaceMeters("trading", List.of(ShardId.of("s0")), () -> 1).bindTo(registry);
        one(1);
        trading.allShards().query(ONE, row -> row.get(0, Long.class)).blockLast(TIMEOUT);
        NodeId node = cluster.shards().get(0).primary().id();
        metrics.retried(node, 1, new IllegalStateException());
        metrics.hedged(node);
        metrics.leakSuspected(node, 1, new IllegalStateException());
        metrics.fenced(node, "");
        metrics.primaryChanged(node.shard(), node, node, "");
        Set<String> found = new TreeSet<>();
        for (Meter meter : registry.getMeters()) {
            Meter.Id id = meter.getId();
            RouterMeter known = Arrays.stream(RouterMeter.values())
                    .filter(each -> each.meterName().equals(id.getName()))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError(id + " is not in the enum"));
            found.add(known.name());
            assertThat(id.getType()).as("type of %s", id).isEqualTo(known.type());
            assertThat(id.getDescription()).isEqualTo(known.description());
            assertThat(id.getTags().stream().map(Tag::getKey))
                    .as("tags of %s", id)
                    .containsExactlyInAnyOrderElementsOf(new HashSet<>(known.tags()));
        }
        assertThat(found)
                .containsExactlyInAnyOrderElementsOf(
                        Arrays.stream(RouterMeter.values()).map(Enum::name).toList());
    }

    private void one(long key) {
        trading.shard(ShardKey.of(key))
                .queryOne(ONE, row -> row.get(0, Long.class))
                .block(Duration.ofSeconds(20));
    }

    private Timer timer(RouterMeter meter, String... tags) {
        return registry.get(meter.meterName()).tags(tags).timer();
    }

    private double gauge(RouterMeter meter, String shard) {
        return registry.get(meter.meterName()).tags("shard", shard).gauge().value();
    }
}
