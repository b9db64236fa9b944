package io.reactiverouter.connection;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.await;
import static io.reactiverouter.TestClusters.awaitQuiet;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.r2dbc.spi.Connection;
import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardOperations;
import io.reactiverouter.TestClusters;
import io.reactiverouter.observation.ClusterListener;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.reactivestreams.Subscription;
import org.slf4j.LoggerFactory;
import reactor.core.Disposable;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Connections that are out of their pool for too long. */
@NullUnmarked
class LeakIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(1);

    private static final String APP = "leak-tests";
    private static final Duration THRESHOLD = Duration.ofMillis(700);

    private record Report(NodeId node, long heldNanos, Throwable acquiredAt) {}

    private final List<Report> reports = new CopyOnWriteArrayList<>();
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private final Logger logger = (Logger) LoggerFactory.getLogger(LeakWatch.class);
    private ShardCluster cluster;
    private ShardOperations shard;

    @BeforeEach
    void open() {
        logger.setLevel(Level.INFO);
        logger.setAdditive(false);
        log.start();
        logger.addAppender(log);
        cluster = TestClusters.over(SHARDS, APP)
                .pool(PoolSettings.DEFAULTS.withLeakThreshold(THRESHOLD))
                .listener(new ClusterListener() {
                    @Override
                    public void leakSuspected(NodeId node, long heldNanos, Throwable acquiredAt) {
                        reports.add(new Report(node, heldNanos, acquiredAt));
                    }
                })
                .build();
        shard = cluster.shard(ShardId.of("s0"));
    }

    @AfterEach
    void close() {
        logger.detachAppender(log);
        logger.setLevel(null);
        logger.setAdditive(true);
        awaitQuiet(cluster, SHARDS, APP);
        cluster.close().block(TIMEOUT);
    }

    @Test
    void connectionThatIsNotClosedIsReportedOnceWithWhoTookIt() {
        Connection held = forgetful();
        await("it is reported", TIMEOUT, () -> reports.size() == 1);
        Connection another = shard.connection().block(TIMEOUT);
        await("another is reported", TIMEOUT, () -> reports.size() >= 2);

        assertThat(reports)
                .as("each once")
                .hasSize(2)
                .extracting(Report::node)
                .containsOnly(cluster.shards().get(0).primary().id());
        assertThat(Duration.ofNanos(reports.get(0).heldNanos())).isGreaterThanOrEqualTo(THRESHOLD);
        assertThat(reports.get(0).acquiredAt()).hasStackTraceContaining("LeakIntegrationTests.forgetful");
        assertThat(reports.get(1).acquiredAt().getStackTrace())
                .noneMatch(frame -> frame.getMethodName().equals("forgetful"));
        assertThat(log.list).hasSize(2).allSatisfy(event -> {
            assertThat(event.getLevel()).isEqualTo(Level.WARN);
            assertThat(event.getFormattedMessage()).contains("s0@127.0.0.1").contains("leakThreshold");
            assertThat(event.getThrowableProxy()).isNotNull();
        });

        Mono.from(held.close()).block(TIMEOUT);
        Mono.from(another.close()).block(TIMEOUT);
        assertThat(log.list.subList(2, 4))
                .extracting(ILoggingEvent::getFormattedMessage)
                .allSatisfy(message -> assertThat(message).contains("has been given back after"));
    }

    private Connection forgetful() {
        return shard.connection().block(TIMEOUT);
    }

    @Test
    void workThatDoesNotEndAndReadersThatStopAreReported() {
        Disposable endless = shard.withConnection(connection -> Mono.never()).subscribe();
        Disposable inTransaction =
                shard.inTransaction(connection -> Mono.never()).subscribe();
        BaseSubscriber<Integer> stopped = new BaseSubscriber<>() {
            @Override
            protected void hookOnSubscribe(Subscription subscription) {
                subscription.request(1);
            }
        };
        shard.query(
                        Query.of("select n from generate_series(1, 1000) n").fetchSize(10),
                        row -> row.get(0, Integer.class))
                .subscribe(stopped);

        await("all are reported", TIMEOUT, () -> reports.size() == 3);
        assertThat(reports)
                .extracting(Report::acquiredAt)
                .allSatisfy(site -> assertThat(site)
                        .hasStackTraceContaining(
                                "LeakIntegrationTests.workThatDoesNotEndAndReadersThatStopAreReported"));
        endless.dispose();
        inTransaction.dispose();
        stopped.cancel();
    }

    /** Whatever way they end: with rows, an error, a cancel, statements that are no longer valid. */
    @Test
    void callsThatEndAreNotReported() {
        Flux.range(0, 80)
                .flatMap(
                        i -> switch (i % 4) {
                            case 0 -> shard.update(Query.of("select 1"));
                            case 1 -> shard.update(Query.of("no sql")).onErrorComplete();
                            case 2 ->
                                shard.update(Query.of("select pg_sleep(5)"))
                                        .timeout(Duration.ofMillis(20), Mono.just(0L));
                            default ->
                                shard.withConnection(connection ->
                                        Query.of("prepare mine as select 1").update(connection));
                        },
                        8)
                .blockLast(TIMEOUT);
        Connection held = shard.connection().block(TIMEOUT);
        await("this one is reported", TIMEOUT, () -> !reports.isEmpty());
        Mono.from(held.close()).block(TIMEOUT);

        assertThat(reports).hasSize(1);
    }
}
