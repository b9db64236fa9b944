package io.reactiverouter.reliability;

import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.TestClusters;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** One fault on its way over one shard. On the thread of the run. */
final class Strike {

    private static final Duration LIMIT = Duration.ofMinutes(1);

    private final Site site;
    private final Random random;
    private final Plan plan;
    private final Run run;
    private long promotedNanos;

    Strike(Site site, Random random, Plan plan, Run run) {
        this.site = site;
        this.random = random;
        this.plan = plan;
        this.run = run;
    }

    Site site() {
        return site;
    }

    Workload workload() {
        return run.workload();
    }

    long random(int bound) {
        return random.nextInt(bound);
    }

    /** Returns a time that a fault lasts. */
    Duration time() {
        long shortest = plan.shortest().toMillis();
        return Duration.ofMillis(shortest + random.nextInt((int) (plan.longest().toMillis() - shortest) + 1));
    }

    /** Lets the fault last. */
    void last() {
        pause(time());
    }

    void pause(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        for (long left = time.toNanos(); left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    /** Promotes the replica after a while, and returns when the cluster has found out. */
    void promote() {
        last();
        site.promote();
        String endpoint =
                site.primary().node().host() + ":" + site.primary().node().port();
        try {
            TestClusters.await("the cluster writes to the primary that was promoted", LIMIT, () -> isPrimary(endpoint));
        } catch (AssertionError e) {
            throw new AssertionError(
                    e.getMessage() + ", " + endpoint + " of " + site + ", known is "
                            + run.cluster().status(),
                    e);
        }
        promotedNanos = System.nanoTime();
        run.mending(site);
    }

    private boolean isPrimary(String endpoint) {
        return run.cluster().status().shards().stream()
                .anyMatch(shard -> shard.primary().endpoint().equals(endpoint));
    }

    /** Lets the old primary be one more for a while, then makes it a standby. */
    void rejoin() {
        last();
        site.rejoin();
    }

    /** Returns when the cluster had found the primary that was promoted, 0 if none was. */
    long promotedNanos() {
        return promotedNanos;
    }

    /** Keeps all connections of the shard's pool busy, and as many callers waiting as may wait. */
    void fillPool() {
        ShardCluster cluster = run.cluster();
        Duration time = time();
        int calls = Run.POOL.maxSize() + Run.POOL.maxPending() + 10;
        Flux.range(0, calls)
                .flatMap(
                        i -> cluster.shard(site.id())
                                .timeout(time)
                                .update(Query.of("select pg_sleep(30)"))
                                .onErrorResume(error -> Mono.empty()),
                        calls)
                .blockLast(time.plus(LIMIT));
    }
}
