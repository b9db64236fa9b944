package io.reactiverouter.connection;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.acquired;
import static io.reactiverouter.TestClusters.await;
import static io.reactiverouter.TestClusters.awaitQuiet;
import static io.reactiverouter.TestClusters.busy;
import static io.reactiverouter.TestClusters.connections;
import static io.reactiverouter.TestClusters.number;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.micrometer.context.ContextRegistry;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.Result;
import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardOperations;
import io.reactiverouter.TestClusters;
import io.reactiverouter.failover.FailoverSettings;
import io.reactiverouter.observation.CallOutcome;
import io.reactiverouter.observation.CloseReason;
import io.reactiverouter.observation.ClusterListener;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Subscription;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Hooks;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;

@NullUnmarked
class PoolIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(2);

    private static final FailoverSettings NO_WAIT = FailoverSettings.DEFAULTS.withMaxWait(Duration.ZERO);
    private static final Query SLEEP = Query.of("select pg_sleep(15)");
    private static final Query ONE = Query.of("select 1");

    @Test
    void nothingIsOpenedBeforeTheFirstUse() {
        using("lazy", PoolSettings.DEFAULTS.withMinSize(2), cluster -> {
            assertThat(connections(SHARDS.node(0), "lazy")).isZero();

            one(cluster.shard(ShardId.of("s0")));

            assertThat(connections(SHARDS.node(0), "lazy")).isBetween(1L, 2L);
            assertThat(connections(SHARDS.node(1), "lazy")).isZero();
        });
    }

    @Test
    void warmupOpensTheSmallestSizeOnEveryShardAndCloseEndsAll() {
        using("warm", PoolSettings.DEFAULTS.withMinSize(3), cluster -> {
            cluster.warmup().block(TIMEOUT);

            SHARDS.nodes().forEach(node -> assertThat(connections(node, "warm")).isEqualTo(3));
            assertThat(acquired(cluster)).isZero();

            cluster.close().block(TIMEOUT);
            SHARDS.nodes()
                    .forEach(node -> await("no connection is left", TIMEOUT, () -> connections(node, "warm") == 0));
        });
    }

    /** As where Boot's {@code spring.reactor.context-propagation} is {@code auto}. */
    @Test
    void workHasTheThreadLocalsOfItsCallersContext() {
        ThreadLocal<String> local = new ThreadLocal<>();
        ContextRegistry.getInstance().registerThreadLocalAccessor("pool-tests", local);
        Hooks.enableAutomaticContextPropagation();
        try {
            using("thread-locals", PoolSettings.DEFAULTS.withMaxSize(1), cluster -> {
                ShardOperations shard = cluster.shard(ShardId.of("s0"));
                // The second has to wait for the connection of the first; rows are asked for one by one, from
                // elsewhere.
                assertThat(Flux.just("first", "second")
                                .flatMap(caller -> shard.<String>withConnectionMany(connection -> Mono.just(
                                                        caller + " has " + local.get())
                                                .concatWith(Flux.range(0, 3).map(i -> caller + " has " + local.get())))
                                        .limitRate(1)
                                        .delayElements(Duration.ofMillis(5))
                                        .contextWrite(context -> context.put("pool-tests", caller)))
                                .collectList()
                                .block(TIMEOUT))
                        .containsExactlyInAnyOrderElementsOf(Stream.of("first", "second")
                                .flatMap(caller -> Collections.nCopies(4, caller + " has " + caller).stream())
                                .toList());
            });
        } finally {
            Hooks.disableAutomaticContextPropagation();
            ContextRegistry.getInstance().removeThreadLocalAccessor("pool-tests");
        }
    }

    /** As publishers of others can. */
    @Test
    void workThatThrowsOutsideOfItsSignalsFailsTheCallAndGivesTheConnectionBack() {
        using("throws", PoolSettings.DEFAULTS.withMaxSize(1), cluster -> {
            ShardOperations shard = cluster.shard(ShardId.of("s0"));
            for (int i = 0; i < 3; i++) {
                StepVerifier.create(shard.withConnection(connection -> subscriber -> {
                            throw new IllegalStateException("when it is subscribed to");
                        }))
                        .expectErrorMessage("when it is subscribed to")
                        .verify(TIMEOUT);
                StepVerifier.create(shard.<Integer>withConnection(connection -> subscriber -> {
                            subscriber.onSubscribe(Operators.emptySubscription());
                            throw new IllegalStateException("after it has begun");
                        }))
                        .expectErrorMessage("after it has begun")
                        .verify(TIMEOUT);
                StepVerifier.create(shard.withConnection(connection -> null))
                        .expectError(NullPointerException.class)
                        .verify(TIMEOUT);
                StepVerifier.create(shard.<Integer>withConnectionMany(
                                connection -> subscriber -> subscriber.onSubscribe(new Subscription() {
                                    @Override
                                    public void request(long n) {
                                        subscriber.onNext(1);
                                    }

                                    @Override
                                    public void cancel() {
                                        throw new IllegalStateException("when it is cancelled");
                                    }
                                })))
                        .expectNext(1)
                        .thenCancel()
                        .verify(TIMEOUT);
            }
            await("the connection is back", TIMEOUT, () -> acquired(cluster) == 0);
            one(shard);
        });
    }

    /** Neither may cost the pool a place for ever. */
    @Test
    void warmupThatFailsOrIsCancelledLeavesThePoolWhole() throws IOException {
        PoolSettings settings =
                PoolSettings.DEFAULTS.withMinSize(4).withMaxSize(4).withAcquireTimeout(Duration.ofSeconds(5));
        ShardCluster dead = ShardCluster.builder()
                .shard(Shard.named("dead").primary("r2dbc:postgresql://app:x@127.0.0.1:1/app"))
                .pool(settings)
                .build();
        for (int i = 0; i < 3; i++) {
            StepVerifier.create(dead.warmup())
                    .expectError(NodeUnreachableException.class)
                    .verify(TIMEOUT);
        }
        NodeId node = dead.shards().get(0).primary().id();
        await("nothing is allocated", TIMEOUT, () -> dead.poolStatistics(node).allocated() == 0);
        dead.close().block(TIMEOUT);

        using("half-warm", settings, cluster -> {
            for (int i = 0; i < 5; i++) {
                Disposable warming = cluster.warmup().subscribe();
                LockSupport.parkNanos(i * 1_000_000L);
                warming.dispose();
            }
            ShardOperations shard = cluster.shard(ShardId.of("s0"));
            Flux.range(0, 4)
                    .flatMap(i -> shard.update(Query.of("select pg_sleep(0.3)")), 4)
                    .blockLast(Duration.ofSeconds(3));
            await("all are open", TIMEOUT, () -> connections(SHARDS.node(0), "half-warm") == 4);
        });
    }

    @Test
    void useAfterCloseIsAClearErrorAndClosingAgainDoesNothing() {
        using("closed", PoolSettings.DEFAULTS, cluster -> {
            one(cluster.shard(ShardId.of("s0")));
            cluster.close().block(TIMEOUT);
            cluster.close().block(TIMEOUT);

            for (String shard : List.of("s0", "s1")) {
                StepVerifier.create(cluster.shard(ShardId.of(shard)).update(ONE))
                        .expectErrorSatisfies(error -> assertThat(error)
                                .isInstanceOf(ClusterClosedException.class)
                                .hasMessageContaining("closed"))
                        .verify(TIMEOUT);
            }
        });
    }

    @Test
    void closeLetsRunningWorkEnd() {
        using("closing", PoolSettings.DEFAULTS, cluster -> {
            AtomicInteger ended = new AtomicInteger();
            Disposable running = cluster.shard(ShardId.of("s0"))
                    .queryOne(Query.of("select pg_sleep(0.5)"), row -> 1)
                    .subscribe(row -> ended.incrementAndGet());
            await("it runs", TIMEOUT, () -> acquired(cluster) == 1);

            cluster.close().block(TIMEOUT);

            assertThat(ended).hasValue(1);
            assertThat(running.isDisposed()).isTrue();
        });
    }

    @Test
    void fullPoolRefusesTheNextCallerAtOnce() {
        using("full", PoolSettings.DEFAULTS.withMaxSize(1).withMaxPending(1), cluster -> {
            ShardOperations shard = cluster.shard(ShardId.of("s0"));
            Disposable holding = shard.update(SLEEP).subscribe();
            await("the connection is in use", TIMEOUT, () -> acquired(cluster) == 1);
            Disposable waiting = shard.update(SLEEP).onErrorComplete().subscribe();

            StepVerifier.create(shard.update(ONE))
                    .expectErrorSatisfies(error -> {
                        PoolExhaustedException exhausted = (PoolExhaustedException) error;
                        assertThat(exhausted.limit()).isEqualTo(1);
                        assertThat(exhausted.pending()).isEqualTo(1);
                        assertThat(exhausted.node().shard()).isEqualTo(ShardId.of("s0"));
                        assertThat(exhausted).hasMessageContaining("s0").hasMessageContaining("maxSize");
                    })
                    .verify(Duration.ofSeconds(5));
            waiting.dispose();
            holding.dispose();
            awaitQuiet(cluster, SHARDS, "full");
        });
    }

    @Test
    @Tag("undisturbed")
    void waitForAConnectionEndsInTimeAndNotInTwiceTheTime() {
        // The first connection of a JVM can take seconds.
        PoolSettings patient = PoolSettings.DEFAULTS.withAcquireTimeout(TIMEOUT);
        using(
                "first",
                patient,
                cluster -> cluster.shard(ShardId.of("s0")).update(ONE).block(TIMEOUT));
        PoolSettings settings = PoolSettings.DEFAULTS.withMaxSize(1).withAcquireTimeout(Duration.ofSeconds(2));
        using("waiting", settings, cluster -> {
            ShardOperations shard = cluster.shard(ShardId.of("s0"));
            Disposable holding = shard.update(SLEEP).subscribe();
            await("the connection is in use", TIMEOUT, () -> acquired(cluster) == 1);

            long start = System.nanoTime();
            StepVerifier.create(shard.update(ONE))
                    .expectErrorSatisfies(error -> assertThat(error)
                            .isInstanceOf(AcquireTimeoutException.class)
                            .hasMessageContaining("s0")
                            .hasMessageContaining("acquired 1 of 1"))
                    .verify(TIMEOUT);
            assertThat(Duration.ofNanos(System.nanoTime() - start))
                    .isBetween(Duration.ofMillis(1950), Duration.ofMillis(3500));
            holding.dispose();
            awaitQuiet(cluster, SHARDS, "waiting");
        });
    }

    @Test
    void unreachableNodeIsNamed() {
        ShardCluster cluster = ShardCluster.builder()
                .shard(Shard.named("dead").primary("r2dbc:postgresql://app:sentinel-secret@127.0.0.1:1/app"))
                .failover(NO_WAIT)
                .build();
        try {
            StepVerifier.create(cluster.shard(ShardId.of("dead")).update(ONE))
                    .expectErrorSatisfies(error -> assertThat(error)
                            .isInstanceOf(NodeUnreachableException.class)
                            .hasMessageContaining("dead@127.0.0.1:1")
                            .hasStackTraceContaining("127.0.0.1")
                            .satisfies(it -> assertThat(it.toString()).doesNotContain("sentinel-secret")))
                    .verify(TIMEOUT);
            StepVerifier.create(cluster.warmup())
                    .expectError(NodeUnreachableException.class)
                    .verify(TIMEOUT);
        } finally {
            cluster.close().block(TIMEOUT);
        }
    }

    @Test
    void serverThatAcceptsAndSaysNothingIsUnreachableInTime() throws IOException {
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            ShardCluster cluster = ShardCluster.builder()
                    .shard(Shard.named("mute")
                            .primary("r2dbc:postgresql://app:x@127.0.0.1:" + silent.getLocalPort() + "/app"))
                    .connection(ConnectionSettings.DEFAULTS.withConnectTimeout(Duration.ofMillis(300)))
                    .failover(NO_WAIT)
                    .build();
            StepVerifier.create(cluster.shard(ShardId.of("mute")).update(ONE))
                    .expectErrorSatisfies(error -> assertThat(error)
                            .isInstanceOf(NodeUnreachableException.class)
                            .hasMessageContaining("PT0.3S"))
                    .verify(Duration.ofSeconds(5));
            try (Socket accepted = silent.accept()) {
                accepted.setSoTimeout(5_000);
                assertThat(accepted.getInputStream().readAllBytes())
                        .as("what came before the socket was closed")
                        .isNotEmpty();
            }
            cluster.close().block(TIMEOUT);
        }
    }

    @Test
    void nodeWhoseNameIsUnknownIsUnreachable() {
        ShardCluster cluster = ShardCluster.builder()
                .shard(Shard.named("lost").primary("r2dbc:postgresql://app:x@no-such-host.invalid/app"))
                .failover(NO_WAIT)
                .build();
        StepVerifier.create(cluster.shard(ShardId.of("lost")).update(ONE))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(NodeUnreachableException.class)
                        .hasMessageContaining("lost@no-such-host.invalid")
                        .hasRootCauseInstanceOf(UnknownHostException.class))
                .verify(TIMEOUT);
        cluster.close().block(TIMEOUT);
    }

    @Test
    void hostNameIsResolved() {
        Shard shard = Shard.named("s0").primary(SHARDS.node(0).r2dbcUrl().replace("127.0.0.1", "localhost"));
        assertThat(shard.primary().address().host()).isEqualTo("localhost");
        ShardCluster cluster = ShardCluster.builder().shard(shard).build();
        one(cluster.shard(ShardId.of("s0")));
        cluster.close().block(TIMEOUT);
    }

    @Test
    void refusalOfTheServerKeepsItsState() {
        Shard shard = Shard.named("s0")
                .primary(SHARDS.node(0).r2dbcUrl())
                .credentials(SHARDS.node(0).username(), "sentinel-secret");
        ShardCluster cluster = ShardCluster.builder().shard(shard).build();
        try {
            StepVerifier.create(cluster.shard(ShardId.of("s0")).update(ONE))
                    .expectErrorSatisfies(error -> {
                        assertThat(((R2dbcException) error).getSqlState()).isEqualTo("28P01");
                        assertThat(NodeFailure.of(error)).isPresent();
                        assertThat(error.toString()).doesNotContain("sentinel-secret");
                    })
                    .verify(TIMEOUT);
        } finally {
            cluster.close().block(TIMEOUT);
        }
    }

    @Test
    void badConnectionSettingsFailWhenTheClusterIsBuilt() {
        String url = "r2dbc:postgresql://app:sentinel-secret@db0/app";
        refused(Shard.named("s0").primary("r2dbc:postgresql://db0/app"), "has no user name");
        refused(Shard.named("s0").primary(url + "?sslMod=require"), "\"sslMod\"");
        refused(Shard.named("s0").primary(url + "?sslMode=sentinel-secret"), "sslMode");
        refused(Shard.named("s0").primary(url + "?fetchSize=10"), "\"fetchSize\"");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ShardCluster.builder().build())
                .withMessageContaining("at least one shard");
    }

    /** The server has no TLS: one that is asked for and passed over would connect. */
    @ParameterizedTest
    @ValueSource(strings = {"sslMode=verify-full", "sslmode=verify-full", "sslmode=require", "ssl=true"})
    void tlsThatAUrlAsksForIsNotPassedOver(String option) {
        ShardCluster cluster = ShardCluster.builder()
                .shard(Shard.named("s0").primary(SHARDS.node(0).r2dbcUrl() + "?" + option))
                .failover(FailoverSettings.DEFAULTS.withMaxWait(Duration.ZERO))
                .build();
        try {
            StepVerifier.create(cluster.shard(ShardId.of("s0")).update(ONE))
                    .expectError(NodeUnreachableException.class)
                    .verify(TIMEOUT);
        } finally {
            cluster.close().block(TIMEOUT);
        }
    }

    private static void refused(Shard shard, String message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ShardCluster.builder().shard(shard).build())
                .withMessageContaining("s0@db0:5432")
                .withMessageContaining(message)
                .satisfies(error -> assertThat(error.getMessage()).doesNotContain("sentinel-secret"));
    }

    /** An even number of loops is where handing the whole group to the driver leaves half of them idle. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5})
    void connectionsSpreadOverAllEventLoops(int loops) {
        ShardCluster cluster = TestClusters.over(SHARDS, "spread")
                .pool(PoolSettings.DEFAULTS.withMaxSize(20))
                .eventLoops(loops)
                .build();
        try {
            for (Shard shard : cluster.shards()) {
                Map<Integer, String> sessions = new ConcurrentHashMap<>();
                Mono<Long> all = Flux.range(0, 20)
                        .flatMap(
                                i -> cluster.shard(shard.id())
                                        .withConnection(connection -> Query.of(
                                                        "select pg_backend_pid() from pg_sleep(0.2)")
                                                .fetch(
                                                        connection,
                                                        row -> sessions.put(
                                                                        row.get(0, Integer.class),
                                                                        Thread.currentThread()
                                                                                .getName())
                                                                == null)
                                                .single()),
                                20)
                        .count();
                await("all connections are there", TIMEOUT, () -> all.block(TIMEOUT) == 20 && sessions.size() == 20);

                Map<String, Integer> threads = new HashMap<>();
                sessions.values().forEach(thread -> threads.merge(thread, 1, Integer::sum));
                assertThat(threads).as("connections of %s by loop", shard.id()).hasSize(loops);
                assertThat(threads.values())
                        .allSatisfy(count -> assertThat(count).isBetween(20 / loops, (20 + loops - 1) / loops));
            }
        } finally {
            cluster.close().block(TIMEOUT);
        }
    }

    @Test
    void connectionThatTheServerClosedIsNotHandedOut() {
        using("restarted", PoolSettings.DEFAULTS.withMaxSize(4), cluster -> {
            ShardOperations shard = cluster.shard(ShardId.of("s0"));
            Flux.range(0, 4)
                    .flatMap(i -> shard.update(Query.of("select pg_sleep(0.1)")))
                    .blockLast(TIMEOUT);
            number(
                    SHARDS.node(0),
                    "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'restarted'");
            await("the server has closed them", TIMEOUT, () -> connections(SHARDS.node(0), "restarted") == 0);
            // The news is in the socket by then, and may not have been read.
            await(
                    "the client has heard of it",
                    TIMEOUT,
                    () -> cluster.poolStatistics(
                                            cluster.shards().get(0).primary().id())
                                    .closed(CloseReason.BROKEN)
                            == 4);

            for (int i = 0; i < 8; i++) {
                one(shard);
            }
        });
    }

    /** What was certainly not sent must not fail as if it could have been: nobody would dare to send it again. */
    @Test
    @Tag("undisturbed")
    void connectionThatIsClosedOnItsWayToTheCallIsNotUsed() {
        using("closing", PoolSettings.DEFAULTS.withMaxSize(8), cluster -> {
            ShardOperations shard = cluster.shard(ShardId.of("s0"));
            Query update = Query.of("update closing set n = n + $1", 1L);
            SHARDS.node(0).execute("create table closing (n bigint)");
            Map<String, Integer> errors = new ConcurrentHashMap<>();
            AtomicInteger done = new AtomicInteger();
            Disposable ending = Flux.interval(Duration.ofMillis(100))
                    .onBackpressureDrop()
                    .publishOn(Schedulers.boundedElastic(), 1)
                    .subscribe(tick -> SHARDS.node(0)
                            .execute("select pg_terminate_backend(pid) from pg_stat_activity"
                                    + " where application_name = 'closing' and state = 'idle'"));

            Flux.range(0, 6)
                    .flatMap(client -> Mono.defer(() -> shard.update(update))
                            .doOnNext(rows -> done.incrementAndGet())
                            .onErrorResume(error -> {
                                errors.merge(String.valueOf(error.getMessage()), 1, Integer::sum);
                                return Mono.empty();
                            })
                            .subscribeOn(Schedulers.boundedElastic())
                            .repeat())
                    .take(Duration.ofSeconds(4))
                    .blockLast(TIMEOUT);
            ending.dispose();

            assertThat(done).hasValueGreaterThan(100);
            assertThat(errors.keySet()).noneMatch(message -> message.contains("Cannot exchange messages"));
        });
    }

    @Test
    void listenerHearsAndCannotHarm() {
        Map<String, Integer> heard = new ConcurrentHashMap<>();
        ClusterListener listener = new ClusterListener() {
            @Override
            public void acquired(NodeId node, long waitNanos) {
                heard.merge("acquired " + node.shard(), 1, Integer::sum);
                throw new IllegalStateException("a listener that fails");
            }

            @Override
            public void completed(NodeId node, CallOutcome outcome, long elapsedNanos) {
                heard.merge("completed " + outcome, 1, Integer::sum);
            }

            @Override
            public void acquireFailed(NodeId node, long waitNanos, Throwable cause) {
                heard.merge("acquireFailed", 1, Integer::sum);
            }
        };
        ShardCluster cluster =
                TestClusters.over(SHARDS, "heard").listener(listener).build();
        ShardOperations shard = cluster.shard(ShardId.of("s0"));
        one(shard);
        shard.update(Query.of("no sql")).onErrorComplete().block(TIMEOUT);
        shard.update(SLEEP).timeout(Duration.ofMillis(100), Mono.just(0L)).block(TIMEOUT);
        awaitQuiet(cluster, SHARDS, "heard");
        cluster.close().block(TIMEOUT);
        shard.update(ONE).onErrorComplete().block(TIMEOUT);

        assertThat(heard)
                .containsEntry("acquired s0", 3)
                .containsEntry("completed COMPLETE", 1)
                .containsEntry("completed CANCELLED", 1)
                .containsEntry("completed FAILED", 2)
                .containsEntry("acquireFailed", 1);
    }

    /** The server process hangs, and so does what it has not read yet: neither may keep the pool's connection. */
    @ParameterizedTest
    @ValueSource(ints = {1, 30_000_000})
    void connectionWhoseServerHangsIsCutAndReplaced(int parameterSize) throws Exception {
        // It is cut after four seconds, and a second more can be too little for all the rest on a busy machine.
        PoolSettings pool = PoolSettings.DEFAULTS.withMaxSize(1).withAcquireTimeout(Duration.ofSeconds(10));
        using("hung", pool, cluster -> {
            ShardOperations shard = cluster.shard(ShardId.of("s0"));
            int pid = shard.queryOne(Query.of("select pg_backend_pid()"), row -> row.get(0, Integer.class))
                    .block(TIMEOUT);
            signal("-STOP", pid);
            try {
                StepVerifier.create(shard.timeout(Duration.ofMillis(300))
                                .update(Query.of("select length($1)", "x".repeat(parameterSize))))
                        .expectError(CallTimeoutException.class)
                        .verify(TIMEOUT);
                one(shard.timeout(TIMEOUT));
                await("it is back", TIMEOUT, () -> acquired(cluster) == 0);
            } finally {
                signal("-CONT", pid);
            }
            await("only the new one is left", TIMEOUT, () -> connections(SHARDS.node(0), "hung") == 1);
        });
    }

    private static void signal(String signal, int pid) {
        try {
            assertThat(new ProcessBuilder("kill", signal, String.valueOf(pid))
                            .start()
                            .waitFor())
                    .isZero();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The driver's queue is full then, so that it cannot even be asked whether the server has answered. */
    @Test
    void connectionWithManyUnansweredStatementsIsNotReused() {
        TestClusters.sql(SHARDS.node(0), "create table piped (id int)");
        using("piped", PoolSettings.DEFAULTS.withMaxSize(1), cluster -> {
            ShardOperations shard = cluster.shard(ShardId.of("s0"));
            Disposable pipelined = shard.withConnectionMany(connection -> Flux.range(0, 1_000)
                            .flatMap(id -> Query.of(
                                            "insert into piped select $1 from pg_sleep($2)", id, id == 0 ? 15.0 : 0.0)
                                    .update(connection)))
                    .subscribe();
            await("the first runs", TIMEOUT, () -> busy(SHARDS.node(0), "piped") == 1);

            pipelined.dispose();

            StepVerifier.create(shard.inTransaction(connection -> ONE.update(connection)))
                    .expectNextCount(1)
                    .expectComplete()
                    .verify(Duration.ofSeconds(10));
            // Those that had been sent may have run: but not any more when the connection has another owner.
            long written = number(SHARDS.node(0), "select count(*) from piped");
            awaitQuiet(cluster, SHARDS, "piped");
            LockSupport.parkNanos(Duration.ofMillis(500).toNanos());
            assertThat(number(SHARDS.node(0), "select count(*) from piped")).isEqualTo(written);
        });
    }

    /** Blocking callers that fill the scheduler for blocking work must not keep connections from being opened. */
    @Test
    void callersThatBlockAllElasticThreadsAreServed() {
        using("blocking", PoolSettings.DEFAULTS.withMaxSize(16), cluster -> {
            ShardOperations shard = cluster.shard(ShardId.of("s0"));
            int threads = Schedulers.DEFAULT_BOUNDED_ELASTIC_SIZE + 4;
            List<Integer> answers = Flux.range(0, threads)
                    .flatMap(
                            i -> Mono.fromCallable(() -> shard.queryOne(
                                                    Query.of("select 1 from pg_sleep(0.05)"),
                                                    row -> row.get(0, Integer.class))
                                            .block(TIMEOUT))
                                    .subscribeOn(Schedulers.boundedElastic()),
                            threads)
                    .collectList()
                    .block(Duration.ofSeconds(4));

            assertThat(answers).hasSize(threads).containsOnly(1);
        });
    }

    /** The pool gives nobody else one while it tells an owner of his, who may do what takes long, or block. */
    @Test
    void connectionThatIsLentComesOnItsEventLoop() {
        using("lent", PoolSettings.DEFAULTS.withMaxSize(1), cluster -> {
            ShardOperations shard = cluster.shard(ShardId.of("s0"));
            List<String> threads = new CopyOnWriteArrayList<>();
            Mono<Connection> lent = shard.connection()
                    .doOnNext(connection -> threads.add(Thread.currentThread().getName()));
            one(shard);

            Connection first = lent.subscribeOn(Schedulers.boundedElastic()).block(TIMEOUT);
            CompletableFuture<Connection> second = lent.toFuture();
            Mono.defer(() -> Mono.from(first.close()))
                    .subscribeOn(Schedulers.boundedElastic())
                    .block(TIMEOUT);
            Mono.from(Mono.fromFuture(second).block(TIMEOUT).close()).block(TIMEOUT);

            assertThat(threads).hasSize(2).allMatch(name -> name.matches("reactive-router-\\w*-\\d+"));
        });
    }

    /** The driver cannot prepare such a statement again on its connection. */
    @Test
    void statementOverAChangedTableWorksAgain() {
        TestClusters.sql(
                SHARDS.node(0), "create table changing (id bigint, value int); insert into changing values (1, 7)");
        using("changing", PoolSettings.DEFAULTS.withMaxSize(1), cluster -> {
            ShardOperations shard = cluster.shard(ShardId.of("s0"));
            Query query = Query.of("select * from changing where id = $1", 1L);
            for (int i = 0; i < 8; i++) {
                assertThat(shard.queryOne(query, row -> row.get("value", String.class))
                                .block(TIMEOUT))
                        .isEqualTo("7");
            }
            TestClusters.sql(SHARDS.node(0), "alter table changing alter value type text");

            shard.queryOne(query, row -> row.get("value", String.class))
                    .onErrorComplete()
                    .block(TIMEOUT);

            for (int i = 0; i < 3; i++) {
                assertThat(shard.queryOne(query, row -> row.get("value", String.class))
                                .block(TIMEOUT))
                        .isEqualTo("7");
            }
        });
    }

    @Test
    void cancelledCloseStillGivesTheConnectionBack() {
        using("closing", PoolSettings.DEFAULTS.withMaxSize(1), cluster -> {
            ShardOperations shard = cluster.shard(ShardId.of("s0"));
            for (int i = 0; i < 20; i++) {
                Connection connection = shard.connection().block(TIMEOUT);
                Flux.from(connection.createStatement("select pg_sleep(15)").execute())
                        .flatMap(Result::getRowsUpdated)
                        .subscribe()
                        .dispose();

                Mono.from(connection.close()).subscribe().dispose();
                Mono.from(connection.close()).block(TIMEOUT);

                assertThat(acquired(cluster))
                        .as("closing again waits for the end")
                        .isZero();
            }
            one(shard);
        });
    }

    /** Cancels at every moment of a call; afterwards the pool must be as before and answer right. */
    @Test
    void cancelStormLeaksNothing() {
        using("storm", PoolSettings.DEFAULTS.withMaxSize(4).withMaxPending(10_000), cluster -> {
            ShardOperations shard = cluster.shard(ShardId.of("s0"));
            Random random = new Random(7);
            Flux.range(0, 4_000)
                    .flatMap(
                            i -> shard.query(
                                            Query.of("select n from generate_series(1, $1) n", random.nextInt(3_000))
                                                    .fetchSize(256),
                                            row -> row.get(0, Integer.class))
                                    .take(Duration.ofNanos(random.nextInt(3_000_000)))
                                    .then(),
                            64)
                    .blockLast(TIMEOUT);

            awaitQuiet(cluster, SHARDS, "storm");
            PoolStatistics after =
                    cluster.poolStatistics(cluster.shards().get(0).primary().id());
            assertThat(after.pending()).isZero();
            assertThat(after.allocated()).isLessThanOrEqualTo(4);
            await("what was just being opened is there", TIMEOUT, () -> {
                PoolStatistics now =
                        cluster.poolStatistics(cluster.shards().get(0).primary().id());
                return now.idle() == now.allocated();
            });
            for (int i = 0; i < 1_000; i++) {
                int nonce = random.nextInt();
                Integer echo = shard.queryOne(Query.of("select $1::int", nonce), row -> row.get(0, Integer.class))
                        .block(TIMEOUT);
                assertThat(echo).isEqualTo(nonce);
            }
        });
    }

    /**
     * A cancel from another thread at the very moment at which the pool hands out a connection: whoever gets that
     * connection next must not feel it. An acknowledged transaction that is not there afterwards is a lost write.
     */
    @Test
    void cancelDuringTheHandOutHarmsNobodyElse() {
        TestClusters.sql(SHARDS.node(0), "create table handed (id bigint primary key)");
        using("hand-out", PoolSettings.DEFAULTS.withMaxSize(3).withMaxPending(10_000), cluster -> {
            ShardOperations shard = cluster.shard(ShardId.of("s0"));
            AtomicBoolean written = new AtomicBoolean();
            Mono<Long> cancelling = Flux.range(0, 3)
                    .flatMap(thread -> Mono.fromCallable(() -> cancelUntil(written, shard, thread))
                            .subscribeOn(Schedulers.boundedElastic()))
                    .reduce(0L, Long::sum);
            Mono<List<Long>> writing = Flux.range(0, 6_000)
                    .flatMap(
                            id -> shard.inTransaction(connection -> Query.of(
                                            "insert into handed values ($1) returning id", id)
                                    .fetch(connection, row -> row.get(0, Long.class))),
                            4)
                    .collectList()
                    .doFinally(signal -> written.set(true));

            var outcome = Mono.zip(writing, cancelling).block(Duration.ofSeconds(50));

            assertThat(outcome.getT2()).as("cancels").isGreaterThan(1_000);
            awaitQuiet(cluster, SHARDS, "hand-out");
            assertThat(outcome.getT1()).hasSize(6_000);
            assertThat(number(SHARDS.node(0), "select count(*) from handed"))
                    .as("acknowledged transactions that are there")
                    .isEqualTo(6_000);
        });
    }

    private static long cancelUntil(AtomicBoolean end, ShardOperations shard, int seed) {
        Random random = new Random(seed);
        long cancels = 0;
        while (!end.get()) {
            Disposable call = shard.update(ONE).onErrorComplete().subscribe();
            long until = System.nanoTime() + random.nextInt(300_000);
            while (System.nanoTime() < until) {
                Thread.onSpinWait();
            }
            call.dispose();
            cancels++;
        }
        return cancels;
    }

    private static void one(ShardOperations shard) {
        StepVerifier.create(shard.queryOne(ONE, row -> row.get(0, Integer.class)))
                .expectNext(1)
                .expectComplete()
                .verify(TIMEOUT);
    }

    private interface Body {
        void run(ShardCluster cluster);
    }

    private static void using(String applicationName, PoolSettings settings, Body body) {
        ShardCluster cluster =
                TestClusters.over(SHARDS, applicationName).pool(settings).build();
        try {
            body.run(cluster);
        } finally {
            cluster.close().block(TIMEOUT);
        }
    }
}
