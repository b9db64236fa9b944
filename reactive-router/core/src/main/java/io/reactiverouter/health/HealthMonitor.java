package io.reactiverouter.health;

import io.reactiverouter.connection.NodePools;
import io.reactiverouter.observation.ClusterListener;
import io.reactiverouter.routing.RoutingTable;
import io.reactiverouter.topology.Node;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.Logger;
import reactor.util.Loggers;

/**
 * Watches all nodes of a cluster and tells its routing table which of them take writes and which are of no use. Probes
 * nothing before {@link #start}; then each node every {@link HealthSettings#interval}, and at once when a call has found
 * something wrong. Thread-safe.
 */
public final class HealthMonitor {

    private static final Duration SEARCH_PAUSE = Duration.ofMillis(200);
    private static final int CONCURRENT_CLOSES = 16;
    private static final Logger LOG = Loggers.getLogger(HealthMonitor.class);

    private final HealthSettings settings;
    private final Map<ShardId, ShardHealth> shards = new LinkedHashMap<>();
    private final Map<NodeId, Prober> probers = new LinkedHashMap<>();
    private final Map<ShardId, List<NodeId>> nodes = new LinkedHashMap<>();
    private final Set<ShardId> verified = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean started = new AtomicBoolean();
    private final Disposable.Composite loops = Disposables.composite();

    /**
     * @param listener told of changes; must not throw
     */
    public HealthMonitor(RoutingTable table, NodePools pools, HealthSettings settings, ClusterListener listener) {
        this.settings = settings;
        for (Shard shard : table.shards()) {
            ShardHealth health =
                    new ShardHealth(shard.id(), table, settings, listener, Clock.systemUTC(), node -> cut(pools, node));
            shards.put(shard.id(), health);
            List<NodeId> ids = shard.nodes().stream().map(Node::id).toList();
            nodes.put(shard.id(), ids);
            for (NodeId node : ids) {
                probers.put(
                        node,
                        new Prober(
                                node,
                                pools,
                                settings.timeout(),
                                answer -> health.answered(node, answer, System.nanoTime()),
                                error -> health.failed(node, error)));
            }
        }
    }

    /** What is under way on a node that has lost the writes could still be committed there, where nobody will see it. */
    private static void cut(NodePools pools, NodeId node) {
        pools.cutAll(node).subscribe(null, error -> LOG.warn("connections to {} could not be cut", node, error));
    }

    /** Begins to probe, if that has not begun. */
    public void start() {
        if (!started.get() && started.compareAndSet(false, true)) {
            probers.forEach((node, prober) -> loops.add(loop(node, prober)));
        }
    }

    private Disposable loop(NodeId node, Prober prober) {
        // Not all nodes in one moment, then or later.
        return Mono.delay(settings.interval()
                        .multipliedBy(ThreadLocalRandom.current().nextLong(1000))
                        .dividedBy(1000))
                .flatMapMany(tick -> Mono.defer(() -> quietly(prober))
                        .then(Mono.defer(() -> Mono.delay(pause())))
                        .repeat())
                .subscribe(tick -> {}, error -> LOG.error("node {} is not watched any more", node, error));
    }

    private Duration pause() {
        double around = 0.9 + 0.2 * ThreadLocalRandom.current().nextDouble();
        return Duration.ofNanos((long) (settings.interval().toNanos() * around));
    }

    /** Failures are told to the health of the shard. */
    private static Mono<ProbeAnswer> quietly(Prober prober) {
        return prober.probe().onErrorResume(error -> Mono.empty());
    }

    /** Probes a node now because a call has found something wrong with it. */
    public void suspect(NodeId node) {
        quietly(prober(node)).subscribe(answer -> {}, error -> LOG.error("node {} could not be probed", node, error));
    }

    /**
     * Completes when every node of a shard has been asked once since the cluster was made, or has not answered in time: before,
     * nobody knows which of several is the primary. Does nothing for a shard of one node.
     */
    public Mono<Void> verify(ShardId shard) {
        List<NodeId> ids = nodes(shard);
        if (ids.size() == 1 || verified.contains(shard)) {
            return Mono.empty();
        }
        return Flux.fromIterable(ids)
                .flatMap(node -> quietly(prober(node)))
                .then(Mono.fromRunnable(() -> verified.add(shard)));
    }

    /**
     * Returns the primary of a shard as soon as one answers that has been asked after this was subscribed to. Asks all nodes
     * again and again: whoever waits sets a limit.
     */
    public Mono<NodeId> primary(ShardId shard) {
        ShardHealth health = health(shard);
        return Mono.defer(() -> {
            long start = System.nanoTime();
            return Flux.fromIterable(nodes(shard))
                    .flatMap(node -> quietly(prober(node)))
                    .mapNotNull(answer -> health.serving(start))
                    .next()
                    .repeatWhenEmpty(rounds -> rounds.concatMap(round -> Mono.delay(SEARCH_PAUSE)));
        });
    }

    /** Returns what is known now. */
    public ClusterStatus status() {
        List<ShardStatus> all = new ArrayList<>();
        shards.values().forEach(health -> all.add(health.status()));
        return new ClusterStatus(all);
    }

    /**
     * Returns what is known of a shard now.
     *
     * @throws IllegalArgumentException if the cluster has no such shard
     */
    public ShardStatus status(ShardId shard) {
        return health(shard).status();
    }

    /** Ends all probes. */
    public Mono<Void> close() {
        return Mono.defer(() -> {
            started.set(true);
            loops.dispose();
            return Flux.fromIterable(probers.values())
                    .flatMapDelayError(Prober::close, CONCURRENT_CLOSES, 1)
                    .then();
        });
    }

    private Prober prober(NodeId node) {
        Prober prober = probers.get(node);
        if (prober == null) {
            throw new IllegalArgumentException("node " + node + " is not part of this cluster");
        }
        return prober;
    }

    private List<NodeId> nodes(ShardId shard) {
        List<NodeId> ids = nodes.get(shard);
        if (ids == null) {
            throw unknown(shard);
        }
        return ids;
    }

    private ShardHealth health(ShardId shard) {
        ShardHealth health = shards.get(shard);
        if (health == null) {
            throw unknown(shard);
        }
        return health;
    }

    private static IllegalArgumentException unknown(ShardId shard) {
        return new IllegalArgumentException("shard " + shard + " is not part of the cluster");
    }
}
