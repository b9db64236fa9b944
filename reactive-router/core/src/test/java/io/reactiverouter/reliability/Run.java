package io.reactiverouter.reliability;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.TestClusters;
import io.reactiverouter.connection.ConnectionSettings;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.connection.PoolStatistics;
import io.reactiverouter.health.HealthSettings;
import io.reactiverouter.reliability.Report.FaultRecord;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.test.EmbeddedShards;
import io.reactiverouter.topology.Node;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/** Servers, a cluster, the workload and its faults, from start to verdict. */
final class Run implements AutoCloseable {

    static final String APPLICATION = "reliability";
    static final PoolSettings POOL =
            PoolSettings.DEFAULTS.withMaxSize(10).withMaxPending(60).withAcquireTimeout(Duration.ofSeconds(2));

    private static final HealthSettings HEALTH =
            HealthSettings.DEFAULTS.withInterval(Duration.ofSeconds(1)).withTimeout(Duration.ofSeconds(1));

    private static final int USERS_OF_A_SHARD = 200;
    private static final Duration LIMIT = Duration.ofMinutes(1);
    /** A busy machine needs longer than the pool waits to start everything for the first time. */
    private static final int WARMUPS = 5;

    /** So many calls have made the JVM warm, if they take no longer than this. */
    private static final int WARM_CALLS = 1_500;

    private static final Duration WARMUP = Duration.ofSeconds(10);

    /** The library itself gives up on a connection that it cannot settle after some seconds. */
    private static final Duration REST = Duration.ofSeconds(10);

    /** A shard must answer so many calls, so long after its servers are in order, to count as recovered. */
    private static final int RECOVERED_CALLS = 20;

    private static final Duration RECOVERY = Duration.ofSeconds(30);

    private final Plan plan;
    private final Stalls stalls = new Stalls();
    private final History history = new History(stalls);
    private final EmbeddedShards servers;
    private final ShardCluster cluster;
    private final List<Site> sites;
    private final Workload workload;
    private final List<FaultRecord> faults = new ArrayList<>();
    private final List<Promotion> promotions = new ArrayList<>();

    /**
     * A shard got another primary.
     *
     * @param begin before the fault, when the replica had all
     * @param end when the cluster had found the new primary
     */
    record Promotion(ShardId shard, long begin, long end) {

        /** For connections to the former primary to be cut, and answers that were on their way. */
        private static final Duration CUT = Duration.ofSeconds(1);

        /**
         * Says whether a primary may have acknowledged this when its replica did not get it any more: nothing that was begun
         * when the cluster had found the new one.
         */
        boolean covers(Operation operation) {
            return shard.equals(operation.shard())
                    && begin - operation.end() <= 0
                    && operation.begin() - end <= 0
                    && operation.end() - end <= CUT.toNanos();
        }
    }

    /** It writes a stack trace for each connection that breaks, of which there are thousands. */
    private final Logger driver = (Logger) LoggerFactory.getLogger("io.r2dbc.postgresql.client");

    private final @Nullable Level driverLevel = driver.getLevel();

    private Run(Plan plan) {
        this.plan = plan;
        driver.setLevel(Level.OFF);
        this.servers = EmbeddedShards.builder(plan.shards())
                .replicas(1)
                .networks()
                .setting("max_wal_size", "128MB")
                .initSql(Bank.TABLES)
                .start();
        this.sites = IntStream.range(0, plan.shards())
                .mapToObj(shard -> new Site(
                        ShardId.of("s" + shard),
                        servers.server(shard, 0),
                        servers.server(shard, 1),
                        plan.synchronous()))
                .toList();
        this.cluster = ShardCluster.builder()
                .shards(sites.stream()
                        .map(site -> Shard.named(site.toString())
                                .primary(site.primary().node().r2dbcUrl())
                                .replica(site.replica().node().r2dbcUrl()))
                        .toList())
                .connection(ConnectionSettings.DEFAULTS.withApplicationName(APPLICATION))
                .pool(POOL)
                .health(HEALTH)
                .build();
        ShardRouter router = cluster.router(Keyspace.named("bank")
                .key("user_id")
                .tables("accounts", "ledger", "counters", "increments", "notes")
                .strategy(ShardingStrategy.hashSlots()));
        Map<ShardId, List<Long>> users = users(router);
        for (Site site : sites) {
            Bank.rowsOf(users.getOrDefault(site.id(), List.of()))
                    .forEach(site.primary().node()::execute);
            site.waitForReplica();
        }
        this.workload = new Workload(new Bank(router, history::violation), history, users, plan.seed());
    }

    /** Carries out a plan, and tells what it found. */
    static Report of(Plan plan) {
        try (Run run = new Run(plan)) {
            return run.carryOut();
        }
    }

    private Map<ShardId, List<Long>> users(ShardRouter router) {
        Map<ShardId, List<Long>> users = new LinkedHashMap<>();
        sites.forEach(site -> users.put(site.id(), new ArrayList<>()));
        for (long user = 1; users.values().stream().anyMatch(some -> some.size() < USERS_OF_A_SHARD); user++) {
            ShardId shard = router.shard(ShardKey.of(user)).locate().block(LIMIT);
            List<Long> some = users.getOrDefault(shard, List.of());
            if (some.size() < USERS_OF_A_SHARD) {
                some.add(user);
            }
        }
        return users;
    }

    ShardCluster cluster() {
        return cluster;
    }

    Workload workload() {
        return workload;
    }

    private Report carryOut() {
        cluster.warmup().retry(WARMUPS).block(LIMIT);
        CompletableFuture<@Nullable Void> clients = workload.clients().toFuture();
        warmUp();
        long begin = System.nanoTime();
        long end = begin + plan.length().toNanos();
        Random random = new Random(plan.seed());
        try {
            do {
                List<Fault> deck = new ArrayList<>(plan.faults());
                Collections.shuffle(deck, random);
                deck.forEach(fault -> strike(fault, new Random(random.nextLong())));
            } while (end - System.nanoTime() > 0);
        } finally {
            workload.stop();
        }
        long elapsed = System.nanoTime() - begin;
        try {
            clients.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            history.open().forEach(hung -> history.violation(Violation.HUNG, hung.toString()));
        } catch (Exception e) {
            throw new IllegalStateException("the workload failed", e);
        }
        poolsAreAsBefore();
        sites.forEach(Site::awaitReplay);
        Checker.Result found = new Checker(plan, history, sites, promotions).check();
        return new Report(plan, Duration.ofNanos(elapsed), history, faults, found, stalls.longest());
    }

    private void warmUp() {
        long begin = System.nanoTime();
        while (sites.stream().mapToLong(site -> history.acknowledged(site.id())).sum() < WARM_CALLS
                && System.nanoTime() - begin < WARMUP.toNanos()) {
            rest(Duration.ofMillis(20));
        }
    }

    private void strike(Fault fault, Random random) {
        Site site = sites.get(random.nextInt(sites.size()));
        Strike strike = new Strike(site, random, plan, this);
        history.phase(new Phase(Phase.Kind.QUIET, null, null));
        strike.last();
        // The window of asynchronous replication begins here: the replica waits for what the primary has written by
        // now.
        long window = System.nanoTime();
        if (fault.promotes()) {
            site.awaitReplay();
        }
        long begin = System.nanoTime();
        history.phase(new Phase(Phase.Kind.DOWN, fault.hasShard() ? site.id() : null, fault));
        fault.strike(strike);
        long promoted = strike.promotedNanos();
        if (promoted != 0) {
            promotions.add(new Promotion(site.id(), window, promoted));
        }
        mending(site);
        awaitRecovery(fault, site);
        history.hung().forEach(hung -> history.violation(Violation.HUNG, hung.toString()));
        faults.add(new FaultRecord(fault, site.id(), begin, System.nanoTime()));
    }

    void mending(Site site) {
        history.phase(new Phase(Phase.Kind.MENDING, site.id(), null));
    }

    private void awaitRecovery(Fault fault, Site site) {
        long before = history.acknowledged(site.id());
        long begin = System.nanoTime();
        while (history.acknowledged(site.id()) < before + RECOVERED_CALLS) {
            if (System.nanoTime() - begin > RECOVERY.toNanos()) {
                history.violation(
                        Violation.NOT_RECOVERED,
                        "shard " + site + " answers fewer than " + RECOVERED_CALLS + " calls in " + RECOVERY + " after "
                                + fault + " was over; " + cluster.status());
                return;
            }
            rest(Duration.ofMillis(5));
        }
    }

    /** Nothing is in use, nobody waits, and the servers know of no more than the pools do. */
    private void poolsAreAsBefore() {
        try {
            for (Site site : sites) {
                TestClusters.await(
                        "nothing of shard " + site + " runs or is open in a transaction",
                        REST,
                        () -> TestClusters.busy(site.primary().node(), APPLICATION) == 0);
            }
            for (Shard shard : cluster.shards()) {
                for (Node node : shard.nodes()) {
                    TestClusters.await(
                            "the pool of " + node.id() + " is at rest, is " + cluster.poolStatistics(node.id()),
                            REST,
                            () -> isAtRest(cluster.poolStatistics(node.id())));
                }
            }
        } catch (AssertionError e) {
            history.violation(Violation.POOL_NOT_AT_REST, String.valueOf(e.getMessage()));
        }
        for (Site site : sites) {
            long open = TestClusters.connections(site.primary().node(), APPLICATION);
            if (open > POOL.maxSize()) {
                history.violation(
                        Violation.POOL_NOT_AT_REST,
                        "shard " + site + " has " + open + " connections of a pool of " + POOL.maxSize());
            }
        }
    }

    private static boolean isAtRest(PoolStatistics pool) {
        return pool.acquired() == 0 && pool.pending() == 0 && pool.allocated() <= pool.max();
    }

    private static void rest(Duration time) {
        LockSupport.parkNanos(time.toNanos());
    }

    @Override
    public void close() {
        stalls.close();
        driver.setLevel(driverLevel);
        try {
            cluster.close().onErrorResume(error -> Mono.empty()).block(LIMIT);
        } finally {
            servers.close();
        }
    }
}
