package io.reactiverouter.health;

import io.reactiverouter.connection.ClusterClosedException;
import io.reactiverouter.connection.NodePools;
import io.reactiverouter.observation.ClusterListener;
import io.reactiverouter.routing.PrimaryFinder;
import io.reactiverouter.routing.RoutingTable;
import io.reactiverouter.topology.Node;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.NodeRole;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.util.Logger;
import reactor.util.Loggers;

/**
 * Watches all nodes of a cluster and tells its routing table which of them take writes and which are of no use. Probes
 * nothing before {@link #start}; then each node every {@link HealthSettings#interval}, and at once when a call has found
 * something wrong. Thread-safe.
 */
public final class HealthMonitor implements PrimaryFinder {

    private static final Duration SEARCH_PAUSE = Duration.ofMillis(200);

    /** A search goes on when nobody waits for it any more, until then. */
    private static final Duration SEARCH_LIMIT = Duration.ofSeconds(10);

    private static final int CONCURRENT_CLOSES = 16;
    private static final int CONCURRENT_PROBES = 64;
    private static final Logger LOG = Loggers.getLogger(HealthMonitor.class);

    private final RoutingTable table;
    private final NodePools pools;
    private final HealthSettings settings;
    private final Map<ShardId, ShardHealth> shards = new LinkedHashMap<>();
    private final Map<NodeId, Prober> probers = new LinkedHashMap<>();
    private final Map<ShardId, List<NodeId>> nodes = new LinkedHashMap<>();
    private final Map<ShardId, AtomicReference<@Nullable Mono<NodeId>>> searches = new HashMap<>();
    private final Set<ShardId> verified = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean started = new AtomicBoolean();
    private final Disposable.Composite loops = Disposables.composite();
    private final Sinks.Empty<NodeId> closed = Sinks.empty();

    /**
     * @param listener told of changes; must not throw
     */
    public HealthMonitor(RoutingTable table, NodePools pools, HealthSettings settings, ClusterListener listener) {
        this.table = table;
        this.pools = pools;
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
                                error -> failed(health, node, error)));
            }
            searches.put(shard.id(), new AtomicReference<>());
        }
    }

    private void failed(ShardHealth health, NodeId node, Throwable error) {
        verified.remove(node.shard());
        health.failed(node, error, System.nanoTime());
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

    /** The next connection to the shard waits until all of its nodes have been asked again. */
    @Override
    public void suspect(NodeId node) {
        start();
        verified.remove(node.shard());
        Flux.fromIterable(nodes(node.shard()))
                .flatMap(each -> quietly(prober(each)))
                .subscribe(answer -> {}, error -> LOG.error("node {} could not be probed", node, error));
    }

    /** Completes when all nodes have been asked, or have not answered in time. */
    public Mono<Void> refresh() {
        return Mono.defer(() -> {
            start();
            return Flux.fromIterable(probers.values())
                    .flatMap(HealthMonitor::quietly, CONCURRENT_PROBES)
                    .then();
        });
    }

    @Override
    public Mono<Boolean> servesWrites(NodeId node) {
        return quietly(prober(node))
                .map(answer -> answer.role() == NodeRole.PRIMARY && table.takesWrites(node))
                .defaultIfEmpty(false);
    }

    @Override
    public void tripped(NodeId node, boolean open) {
        health(node.shard()).tripped(node, open);
    }

    @Override
    public String describe(ShardId shard) {
        return health(shard).describe();
    }

    /**
     * Completes when every node of a shard has been asked, or has not answered in time, since the cluster was made or one of
     * its nodes was suspected: before, nobody knows which of several is the primary. Does nothing for a shard of one node.
     */
    @Override
    public Mono<Void> verify(ShardId shard) {
        List<NodeId> ids = nodes(shard);
        ShardHealth health = health(shard);
        if (ids.size() == 1 || verified.contains(shard)) {
            return Mono.empty();
        }
        return Flux.fromIterable(ids)
                // Those have not answered in time already; when they do, that is heard of too.
                .filter(node -> !health.isSilent(node))
                .flatMap(node -> quietly(prober(node)))
                .then(Mono.fromRunnable(() -> verified.add(shard)));
    }

    /**
     * Returns the primary of a shard as soon as one answers that has been asked after this was subscribed to, or shortly
     * before. Asks all nodes again and again: whoever waits sets a limit. Fails when this is closed.
     */
    @Override
    public Mono<NodeId> primary(ShardId shard) {
        return joined(shard)
                // One that has come to its limit.
                .repeatWhenEmpty(rounds -> rounds.flatMap(round -> Mono.delay(SEARCH_PAUSE)))
                .takeUntilOther(closed.asMono())
                .switchIfEmpty(Mono.error(ClusterClosedException::new));
    }

    /** Whoever begins to wait joins those who wait. */
    private Mono<NodeId> joined(ShardId shard) {
        ShardHealth health = health(shard);
        AtomicReference<@Nullable Mono<NodeId>> running = searches.get(shard);
        if (running == null) {
            throw unknown(shard);
        }
        return Mono.defer(() -> {
            Mono<NodeId> mine = Flux.defer(() -> search(shard, health))
                    .take(SEARCH_LIMIT)
                    .next()
                    .doFinally(end -> running.set(null))
                    .cache();
            Mono<NodeId> others = running.compareAndExchange(null, mine);
            return others == null ? mine : others;
        });
    }

    /** Each node at its own pace: one that hangs keeps nobody from hearing of another one's promotion. */
    private Flux<NodeId> search(ShardId shard, ShardHealth health) {
        long start = System.nanoTime();
        long timeline = health.timeline();
        return Flux.fromIterable(nodes(shard))
                .flatMap(node -> Mono.defer(() -> quietly(prober(node))
                                .then(Mono.defer(() -> Mono.justOrEmpty(health.serving(start, timeline)))))
                        .repeatWhenEmpty(rounds -> rounds.flatMap(round -> Mono.delay(SEARCH_PAUSE))))
                .take(1);
    }

    /**
     * Returns what is known now.
     *
     * @param errorRate which part of the last calls failed with a node
     */
    public ClusterStatus status(ToDoubleFunction<NodeId> errorRate) {
        List<ShardStatus> all = new ArrayList<>();
        shards.values().forEach(health -> all.add(health.status(errorRate, pools::statistics)));
        return new ClusterStatus(all);
    }

    /**
     * Returns what is known of one shard now.
     *
     * @param errorRate which part of the last calls failed with a node
     * @throws IllegalArgumentException if the cluster has no such shard
     */
    public ShardStatus status(ShardId shard, ToDoubleFunction<NodeId> errorRate) {
        return health(shard).status(errorRate, pools::statistics);
    }

    /** Ends all probes. */
    public Mono<Void> close() {
        return Mono.defer(() -> {
            started.set(true);
            loops.dispose();
            closed.tryEmitEmpty();
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
