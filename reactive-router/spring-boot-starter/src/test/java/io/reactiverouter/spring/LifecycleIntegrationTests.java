package io.reactiverouter.spring;

import static io.reactiverouter.spring.SpringShards.TIMEOUT;
import static io.reactiverouter.spring.SpringShards.await;
import static io.reactiverouter.spring.SpringShards.connections;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.connection.CallTimeoutException;
import io.reactiverouter.connection.ClusterClosedException;
import io.reactiverouter.observation.CallOutcome;
import io.reactiverouter.observation.ClusterListener;
import io.reactiverouter.order.SortKey;
import io.reactiverouter.scatter.InvalidCursorException;
import io.reactiverouter.scatter.Page;
import io.reactiverouter.spring.autoconfigure.ReactiveRouterProperties;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

@ExtendWith(OutputCaptureExtension.class)
@NullUnmarked
class LifecycleIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3);

    private static final Query ONE = Query.of("select 1");

    @Test
    void startConnectsToNothingAndCloseLeavesNothing() {
        ConfigurableApplicationContext context = SpringShards.start(SHARDS, "lazy");
        assertThat(connections(SHARDS, "lazy")).isZero();
        ShardRouter router = context.getBean(ShardRouter.class);
        ShardedDatabaseClient database = context.getBean(ShardedDatabaseClient.class);
        for (long tenant = 0; tenant < 3; tenant++) {
            database.forKey(ShardKey.of(tenant)).sql("select 1").fetch().all().blockLast(TIMEOUT);
        }
        assertThat(connections(SHARDS, "lazy")).isEqualTo(3);

        context.close();

        await("all connections are closed", TIMEOUT, () -> connections(SHARDS, "lazy") == 0);
        assertThatThrownBy(() -> router.shard(ShardKey.of(1)).update(ONE).block(TIMEOUT))
                .isInstanceOf(ClusterClosedException.class);
    }

    @Test
    void warmupConnectsToEveryPrimaryBeforeTheFirstCall() {
        try (ConfigurableApplicationContext context =
                SpringShards.start(SHARDS, "warm", "--reactive-router.warmup=true")) {
            assertThat(context.isRunning()).isTrue();
            assertThat(connections(SHARDS, "warm")).isEqualTo(3);
        }
    }

    @Test
    void aShardThatIsDownStopsNeitherWarmupNorTheOthers(CapturedOutput output) {
        try (ConfigurableApplicationContext context = SpringShards.start(
                SHARDS,
                "partial",
                "--reactive-router.warmup=true",
                "--reactive-router.shards.down.url=r2dbc:postgresql://app@127.0.0.1:1/app")) {
            assertThat(output).contains("Not every shard").contains("down@127.0.0.1:1");
            assertThat(connections(SHARDS, "partial")).isEqualTo(3);
            assertThat(context.getBean(ShardCluster.class)
                            .shard(ShardId.of("s1"))
                            .queryOne(ONE, row -> row.get(0, Integer.class))
                            .block(TIMEOUT))
                    .isEqualTo(1);
        }
    }

    @Test
    void oneShardServesEveryKeyThroughTheSameBeans() {
        SpringShards.sql(SHARDS, "create table single (id bigint)");
        try (ConfigurableApplicationContext context = SpringShards.start(new OneShard(SHARDS), "single")) {
            ShardedDatabaseClient database = context.getBean(ShardedDatabaseClient.class);
            for (long tenant = 0; tenant < 10; tenant++) {
                ShardKey key = ShardKey.of(tenant);
                database.forKey(key)
                        .sql("insert into single values (:id)")
                        .bind("id", tenant)
                        .then()
                        .as(database.transactional(key)::transactional)
                        .block(TIMEOUT);
            }
            assertThat(SpringShards.numbers(SHARDS, "select count(*) from single"))
                    .containsExactly(10L, 0L, 0L);
            assertThat(context.getBean(ShardRouter.class)
                            .allShards()
                            .query(Query.of("select id from single"), row -> row.get("id", Long.class))
                            .count()
                            .block(TIMEOUT))
                    .isEqualTo(10);
        }
    }

    @Test
    void theClusterOutlivesTheBeansThatUseIt(CapturedOutput output) {
        start(LastWords.class, "last").close();

        assertThat(output).doesNotContain("ClusterClosedException");
        assertThat(LastWords.HEARD).containsExactly(1);
        await("all connections are closed", TIMEOUT, () -> connections(SHARDS, "last") == 0);
    }

    @Test
    void aContextThatIsClosedOnAnEventLoopIsClosedInTheBackground() {
        ConfigurableApplicationContext context = SpringShards.start(SHARDS, "loop", "--reactive-router.warmup=true");
        assertThat(connections(SHARDS, "loop")).isEqualTo(3);

        Mono.fromRunnable(context::close).subscribeOn(Schedulers.parallel()).block(TIMEOUT);

        await("all connections are closed", TIMEOUT, () -> connections(SHARDS, "loop") == 0);
    }

    @Test
    void workThatDoesNotEndDelaysTheCloseForABoundedTime() {
        ConfigurableApplicationContext context = SpringShards.start(SHARDS, "stuck");
        context.getBean(ShardCluster.class)
                .shard(ShardId.of("s0"))
                .update(Query.of("select pg_sleep(120)"))
                .subscribe(rows -> {}, error -> {});
        await("the statement runs", TIMEOUT, () -> SpringShards.busy(SHARDS, "stuck") == 1);

        long start = System.nanoTime();
        context.close();

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(12));
    }

    @Test
    void callsThroughRoutersHaveTheConfiguredTimeLimit() {
        try (ConfigurableApplicationContext context =
                SpringShards.start(SHARDS, "limited", "--reactive-router.call-timeout=200ms")) {
            assertThatThrownBy(() -> context.getBean(ShardRouter.class)
                            .shard(ShardKey.of(1))
                            .update(Query.of("select pg_sleep(60)"))
                            .block(TIMEOUT))
                    .isInstanceOf(CallTimeoutException.class);
        }
    }

    @Test
    void cursorsAreGoodInEveryInstanceWithTheSameKey() {
        String key = "--reactive-router.cursor-key=a secret of at least 32 characters!";
        Query numbers = Query.of("select n from generate_series(1, 5) n where current_setting('port') = '"
                + SHARDS.node(0).port() + "'");
        String cursor;
        try (ConfigurableApplicationContext context = SpringShards.start(SHARDS, "first", key)) {
            cursor = page(context, numbers, null).next();
            assertThat(context.getBean(ReactiveRouterProperties.class).toString())
                    .doesNotContain("a secret of");
        }
        try (ConfigurableApplicationContext context = SpringShards.start(SHARDS, "second", key)) {
            assertThat(page(context, numbers, cursor).rows()).containsExactly(3, 4);
        }
        try (ConfigurableApplicationContext context = SpringShards.start(SHARDS, "third")) {
            assertThatThrownBy(() -> page(context, numbers, cursor)).isInstanceOf(InvalidCursorException.class);
        }
    }

    private static Page<Integer> page(ConfigurableApplicationContext context, Query query, String cursor) {
        return context.getBean(ShardRouter.class)
                .allShards()
                .orderBy(SortKey.asc("n"))
                .page(2)
                .after(cursor)
                .query(query, row -> row.get(0, Integer.class))
                .block(TIMEOUT);
    }

    @Test
    void theApplicationsListenerHearsTheCluster() {
        try (ConfigurableApplicationContext context = start(Listening.class, "listening")) {
            context.getBean(ShardRouter.class).shard(ShardKey.of(4)).update(ONE).block(TIMEOUT);
            Heard heard = context.getBean(Heard.class);
            await("the call was heard", TIMEOUT, () -> !heard.nodes.isEmpty());
            assertThat(heard.nodes).extracting(node -> node.shard().value()).containsExactly("s1");
        }
    }

    private static ConfigurableApplicationContext start(Class<?> configuration, String applicationName) {
        return SpringShards.start(
                new SpringApplicationBuilder(SpringShards.Application.class, configuration), SHARDS, applicationName);
    }

    @Configuration(proxyBeanMethods = false)
    static class LastWords {

        static final List<Integer> HEARD = new CopyOnWriteArrayList<>();

        @Bean
        DisposableBean lastWords(ShardRouter router) {
            return () -> HEARD.add(router.shard(ShardKey.of(1))
                    .queryOne(ONE, row -> row.get(0, Integer.class))
                    .block(TIMEOUT));
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Listening {

        @Bean
        Heard heard() {
            return new Heard();
        }
    }

    static final class Heard implements ClusterListener {

        final List<NodeId> nodes = new CopyOnWriteArrayList<>();

        @Override
        public void completed(NodeId node, CallOutcome outcome, long elapsedNanos) {
            nodes.add(node);
        }
    }
}
