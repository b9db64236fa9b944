package io.reactiverouter.micrometer;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.shardsOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.tracing.handler.DefaultTracingObservationHandler;
import io.micrometer.tracing.test.simple.SimpleSpan;
import io.micrometer.tracing.test.simple.SimpleTracer;
import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.test.ShardsExtension;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import reactor.core.publisher.Mono;

/** Spans of real calls, as a tracer gets them. */
@NullUnmarked
class ObservedCallsIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(2);

    private static final Keyspace KEYSPACE =
            Keyspace.named("trading").key("user_id").tables("traced").strategy(ShardingStrategy.modulo());
    private static final Query ONE = Query.of("select $1::bigint", 815L);

    private final SimpleTracer tracer = new SimpleTracer();
    private final ObservationRegistry registry = ObservationRegistry.create();
    private ShardCluster cluster;

    @AfterEach
    void close() {
        cluster.close().block(TIMEOUT);
    }

    private ShardRouter open(boolean showSql) {
        registry.observationConfig().observationHandler(new DefaultTracingObservationHandler(tracer));
        cluster = ShardCluster.builder()
                .shards(shardsOf(SHARDS))
                .instrumentation(new ObservedCalls(registry, showSql))
                .build();
        return cluster.router(KEYSPACE);
    }

    @Test
    void callIsASpanUnderItsCallersAndAttemptsAreItsChildren() {
        ShardRouter trading = open(false);
        Observation request = Observation.start("request", registry);
        trading.allShards()
                .query(ONE, row -> row.get(0, Long.class))
                .contextWrite(context -> context.put("micrometer.observation", request))
                .blockLast(TIMEOUT);
        request.stop();

        SimpleSpan root = span("request");
        SimpleSpan call = span("query trading");
        assertThat(call.getTraceId()).isEqualTo(root.getTraceId());
        assertThat(call.getParentId()).isEqualTo(root.getSpanId());
        assertThat(call.getTags())
                .containsEntry("keyspace", "trading")
                .containsEntry("kind", "scatter")
                .containsEntry("operation", "query")
                .containsEntry("outcome", "success");
        for (String shard : List.of("s0", "s1")) {
            SimpleSpan attempt = span("shard " + shard);
            assertThat(attempt.getParentId()).isEqualTo(call.getSpanId());
            assertThat(attempt.getTags())
                    .containsEntry("shard", shard)
                    .containsEntry("role", "primary")
                    .containsEntry("outcome", "success");
        }
        assertThat(tracer.getSpans())
                .as("neither statement nor parameters")
                .allSatisfy(span -> assertThat(span.getTags().toString() + span.getEvents())
                        .doesNotContain("select")
                        .doesNotContain("815"));
    }

    @Test
    void statementIsShownWhenAskedForAndParametersNever() {
        ShardRouter trading = open(true);
        trading.shard(ShardKey.of(1L))
                .queryOne(ONE, row -> row.get(0, Long.class))
                .block(TIMEOUT);
        assertThat(span("query trading").getTags()).containsEntry("db.query.text", "select $1::bigint");
        assertThat(tracer.getSpans())
                .allSatisfy(span -> assertThat(span.getTags().toString()).doesNotContain("815"));
    }

    @Test
    void errorAndCancelEndTheSpan() {
        ShardRouter trading = open(false);
        assertThatThrownBy(() -> trading.shard(ShardKey.of(1L))
                        .update(Query.of("select 1/0"))
                        .block(TIMEOUT))
                .isInstanceOf(R2dbcException.class);
        assertThat(span("update trading").getTags()).containsEntry("outcome", "error");
        assertThat(span("update trading").getError()).isInstanceOf(R2dbcException.class);
        Mono<Long> first = trading.shard(ShardKey.of(1L))
                .query(
                        Query.of("select generate_series(1, 100000)::bigint").fetchSize(10),
                        row -> row.get(0, Long.class))
                .next();
        first.block(TIMEOUT);
        assertThat(span("query trading").getTags()).containsEntry("outcome", "cancelled");
    }

    private SimpleSpan span(String name) {
        return tracer.getSpans().stream()
                .filter(span -> span.getName().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no span " + name + " in " + tracer.getSpans()));
    }
}
