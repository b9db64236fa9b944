package io.reactiverouter.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import brave.handler.MutableSpan;
import brave.handler.SpanHandler;
import brave.propagation.TraceContext;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.contextpropagation.ObservationThreadLocalAccessor;
import io.micrometer.tracing.Tracer;
import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.micrometer.CallMetrics;
import io.reactiverouter.micrometer.ClusterMeters;
import io.reactiverouter.micrometer.ObservedCalls;
import io.reactiverouter.micrometer.RouterMeter;
import io.reactiverouter.observation.CallOutcome;
import io.reactiverouter.observation.ClusterListener;
import io.reactiverouter.observation.SqlLog;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.test.EmbeddedShards;
import io.reactiverouter.topology.NodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.springframework.boot.actuate.endpoint.EndpointId;
import org.springframework.boot.actuate.endpoint.web.AdditionalPathsMapper;
import org.springframework.boot.actuate.endpoint.web.WebServerNamespace;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.availability.AvailabilityChangeEvent;
import org.springframework.boot.availability.ReadinessState;
import org.springframework.boot.health.actuate.endpoint.HealthEndpoint;
import org.springframework.boot.health.actuate.endpoint.HealthEndpointGroups;
import org.springframework.boot.health.contributor.CompositeReactiveHealthContributor;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.ReactiveHealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/** What operators get with a whole application, on two shards. */
@NullUnmarked
class OperationsIntegrationTests {

    private static final Duration TIMEOUT = Duration.ofSeconds(20);

    @AutoClose
    private static final EmbeddedShards SHARDS = EmbeddedShards.builder(2)
            .networks()
            .initSql("create table orders (user_id bigint)")
            .initSql("insert into orders select generate_series(1, 30)")
            .initSql("analyze orders")
            .start();

    private static ApplicationContextRunner application() {
        return new ApplicationContextRunner()
                .withUserConfiguration(TestApplications.Application.class)
                .withPropertyValues(properties());
    }

    private static String[] properties() {
        List<String> properties = new ArrayList<>(List.of(
                "reactive-router.keyspaces.trading.key=user_id",
                "reactive-router.keyspaces.trading.tables=orders",
                "reactive-router.health.interval=200ms",
                "reactive-router.health.timeout=500ms",
                "reactive-router.observability.row-sampling=100ms",
                "management.endpoints.web.exposure.include=*"));
        for (int i = 0; i < 2; i++) {
            properties.add(
                    "reactive-router.shards.s" + i + ".url=" + SHARDS.node(i).r2dbcUrl());
        }
        return properties.toArray(String[]::new);
    }

    @Test
    void metersAreThere() {
        application()
                .withClassLoader(new FilteredClassLoader("io.micrometer.tracing", "brave"))
                .run(context -> {
                    assertThat(context).hasSingleBean(CallMetrics.class).hasSingleBean(ClusterMeters.class);
                    assertThat(context).hasSingleBean(SqlLog.class).doesNotHaveBean(ObservedCalls.class);
                    one(context);
                    MeterRegistry registry = context.getBean(MeterRegistry.class);
                    assertThat(registry.get(RouterMeter.CALLS.meterName())
                                    .tag("keyspace", "trading")
                                    .timer()
                                    .count())
                            .isEqualTo(1);
                    assertThat(registry.get(RouterMeter.ACQUIRE.meterName()).timers())
                            .isNotEmpty();
                    assertThat(registry.get(RouterMeter.POOL_MAX.meterName()).gauges())
                            .hasSize(2);
                    await(() -> registry.get(RouterMeter.SHARD_ROWS.meterName())
                                    .tags("shard", "s0", "keyspace", "trading")
                                    .gauge()
                                    .value()
                            == 30);
                });
    }

    /** With Boot's own tracing, in the order in which Boot configures it. Rows are not sampled: samples have traces of their own. */
    @Test
    void spansAreThereWithATracer() {
        ConcurrentLinkedQueue<MutableSpan> spans = new ConcurrentLinkedQueue<>();
        application()
                .withPropertyValues(
                        "management.tracing.sampling.probability=1.0", "reactive-router.observability.row-sampling=0")
                .withBean(SpanHandler.class, () -> new SpanHandler() {
                    @Override
                    public boolean end(TraceContext traced, MutableSpan span, Cause cause) {
                        return spans.add(span);
                    }
                })
                .run(context -> {
                    assertThat(context).hasSingleBean(ObservedCalls.class);
                    Tracer tracer = context.getBean(Tracer.class);
                    Observation request = Observation.start("request", context.getBean(ObservationRegistry.class));
                    context.getBean(ShardRouter.class)
                            .shard(ShardKey.of(1L))
                            .queryOne(Query.of("select 1::bigint"), row -> row.get(0, Long.class))
                            .contextWrite(written -> written.put(ObservationThreadLocalAccessor.KEY, request))
                            .block(TIMEOUT);
                    request.stop();
                    assertThat(tracer.currentSpan())
                            .as("nothing is left on the thread")
                            .isNull();
                    MutableSpan root = span(spans, "request");
                    MutableSpan call = span(spans, "query trading");
                    MutableSpan attempt = spans.stream()
                            .filter(span -> span.name().startsWith("shard s"))
                            .findFirst()
                            .orElseThrow();
                    assertThat(call.parentId()).isEqualTo(root.id());
                    assertThat(attempt.parentId()).isEqualTo(call.id());
                    assertThat(spans).extracting(MutableSpan::traceId).containsOnly(root.traceId());
                });
    }

    private static MutableSpan span(Collection<MutableSpan> spans, String name) {
        return spans.stream()
                .filter(span -> name.equals(span.name()))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no span " + name + " in " + spans));
    }

    @Test
    void listenersOfTheApplicationHearToo() {
        ConcurrentLinkedQueue<String> heard = new ConcurrentLinkedQueue<>();
        application()
                .withBean(ClusterListener.class, () -> new ClusterListener() {
                    @Override
                    public void completed(NodeId node, CallOutcome outcome, long elapsedNanos) {
                        heard.add(node.shard() + " " + outcome);
                    }
                })
                .run(context -> {
                    one(context);
                    await(() -> !heard.isEmpty());
                    assertThat(context.getBean(MeterRegistry.class)
                                    .get(RouterMeter.ACQUIRE.meterName())
                                    .timers())
                            .isNotEmpty();
                });
    }

    @Test
    void shardThatIsDownLeavesTheApplicationUp() {
        application().run(context -> {
            ShardCluster cluster = context.getBean(ShardCluster.class);
            assertThat(health(context, "s0").getStatus()).isEqualTo(Status.UP);
            cluster.refresh().block(TIMEOUT);
            assertThat(health(context, "s0").getDetails())
                    .containsEntry("healthy", 1L)
                    .containsEntry("total", 1)
                    .containsEntry("primary", "127.0.0.1:" + SHARDS.node(0).port());
            try {
                SHARDS.server(0).network().cut();
                await(() -> health(context, "s0").getStatus().getCode().equals("SHARD_DOWN"));
                assertThat(health(context, "s0").getDetails().toString())
                        .contains("PT0.5S")
                        .doesNotContain("app:app");
                assertThat(health(context, "s1").getStatus()).isEqualTo(Status.UP);
                assertThat(readiness(context)).isEqualTo(Status.UP);
                SHARDS.server(1).network().cut();
                await(() -> health(context, "s1").getStatus().equals(Status.DOWN));
                assertThat(health(context, "s0").getStatus()).isEqualTo(Status.DOWN);
                assertThat(readiness(context)).isEqualTo(Status.DOWN);
            } finally {
                SHARDS.server(0).network().heal();
                SHARDS.server(1).network().heal();
            }
            await(() -> health(context, "s0").getStatus().equals(Status.UP));
        });
    }

    @Test
    void shardThatWasNeverReachedIsDown() {
        application()
                .withPropertyValues(
                        "reactive-router.shards.s0.password=wrong", "reactive-router.shards.s1.password=wrong")
                .run(context -> {
                    assertThat(readiness(context)).isEqualTo(Status.DOWN);
                    assertThat(health(context, "s0").getDetails()).containsEntry("healthy", 0L);
                });
    }

    @Test
    void readinessIsTheApplicationsIfItSaysSo() {
        application()
                .run(context -> assertThat(context.getBean(HealthEndpointGroups.class)
                                .get("readiness")
                                .isMember("shards"))
                        .isTrue());
        application()
                .withPropertyValues("reactive-router.observability.readiness=false")
                .run(context -> assertThat(context.getBean(HealthEndpointGroups.class)
                                .get("readiness")
                                .isMember("shards"))
                        .isFalse());
        application()
                .withPropertyValues("management.endpoint.health.probes.add-additional-paths=true")
                .run(context -> assertThat(context.getBean(AdditionalPathsMapper.class)
                                .getAdditionalPaths(EndpointId.of("health"), WebServerNamespace.SERVER))
                        .contains("/readyz"));
    }

    @Test
    @SuppressWarnings("unchecked")
    void endpointShowsAllAndNoSecrets() {
        // The first probe of a JVM can take seconds.
        application().withPropertyValues("reactive-router.health.timeout=10s").run(context -> {
            ShardsEndpoint endpoint = context.getBean(ShardsEndpoint.class);
            Map<String, Object> answer = endpoint.refresh().block(TIMEOUT);
            assertThat(answer).containsEntry("writable", 2L).containsEntry("healthyNodes", 2L);
            List<Map<String, Object>> shards = (List<Map<String, Object>>) answer.get("shards");
            assertThat(shards).extracting(shard -> shard.get("name")).containsExactly("s0", "s1");
            List<Map<String, Object>> keyspaces = (List<Map<String, Object>>) answer.get("keyspaces");
            assertThat(keyspaces.get(0))
                    .containsEntry("name", "trading")
                    .containsEntry("epoch", 1L)
                    .containsEntry("imbalance", 0.0);
            assertThat(keyspaces.get(0).get("slots"))
                    .isEqualTo(Map.of("s0", List.of("0-8191"), "s1", List.of("8192-16383")));
            assertThat(keyspaces.get(0).get("rows").toString()).contains("rows=30");
            assertThat(endpoint.shards().block(TIMEOUT).toString())
                    .contains("role=PRIMARY")
                    .contains("acquired")
                    .doesNotContain("app:app");
        });
    }

    @Test
    void applicationWithoutActuatorAndMicrometerStarts() {
        new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        ReactiveRouterAutoConfiguration.class,
                        ReactiveRouterObservationAutoConfiguration.class,
                        ReactiveRouterOperationsAutoConfiguration.class))
                .withPropertyValues(properties())
                .withClassLoader(new FilteredClassLoader(
                        "io.micrometer", "org.springframework.boot.actuate", "org.springframework.boot.health"))
                .run(context -> {
                    assertThat(context).hasNotFailed().hasSingleBean(ShardCluster.class);
                    assertThat(context)
                            .doesNotHaveBean("shardsHealthContributor")
                            .doesNotHaveBean("shardsEndpoint");
                    one(context);
                });
    }

    private static void one(AssertableApplicationContext context) {
        context.getBean(ShardRouter.class)
                .shard(ShardKey.of(1L))
                .queryOne(Query.of("select 1::bigint"), row -> row.get(0, Long.class))
                .block(TIMEOUT);
    }

    private static Health health(AssertableApplicationContext context, String shard) {
        CompositeReactiveHealthContributor shards =
                context.getBean("shardsHealthContributor", CompositeReactiveHealthContributor.class);
        return ((ReactiveHealthIndicator) shards.getContributor(shard)).health().block(TIMEOUT);
    }

    private static Status readiness(AssertableApplicationContext context) {
        // As a whole application says when it has started.
        AvailabilityChangeEvent.publish(context, ReadinessState.ACCEPTING_TRAFFIC);
        return context.getBean(HealthEndpoint.class).healthForPath("readiness").getStatus();
    }

    private static void await(java.util.function.BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + TIMEOUT.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("time is up").isLessThan(end);
            Thread.sleep(20);
        }
    }
}
