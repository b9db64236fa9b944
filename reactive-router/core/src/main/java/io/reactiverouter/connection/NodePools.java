package io.reactiverouter.connection;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ValidationDepth;
import io.reactiverouter.observation.CloseReason;
import io.reactiverouter.observation.ClusterListener;
import io.reactiverouter.topology.Node;
import io.reactiverouter.topology.NodeId;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * The pools of all nodes of a cluster, on one shared set of event loops. Opens nothing before the first use. Thread-safe.
 */
public final class NodePools {

    private static final int CONNECTING_THREADS = 256;
    private static final int CONNECTING_TTL_SECONDS = 10;
    private static final Duration RETURN_CHECK = Duration.ofMillis(20);
    private static final Duration RETURN_TIMEOUT = Duration.ofSeconds(5);

    /** What the connections of {@link #apart} add to the name of the application. */
    private static final String PROBES = " health";

    private final Map<NodeId, NodePool> pools;
    private final Map<NodeId, NodeConnector> connectors;
    private final Map<NodeId, NodeConnector> apart;
    private final EventLoops loops;

    /**
     * For what blocks while a connection is opened. Not a scheduler that others use: on those, work that waits for a
     * connection could keep the connection from being opened. Nothing queues behind a lookup that hangs. Threads come when
     * they are needed and go by themselves.
     */
    private final Scheduler connecting;

    private final ShardExecutor executor;

    /**
     * Makes a pool for each node.
     *
     * @param pool settings of a node's pool
     * @param connection settings of a node's connections
     * @param eventLoops number of event loops, and so of threads, that the connections share
     * @param listener must not throw, see {@link ClusterListener#guarded}
     * @param check asks each new connection of a pool, before its first use, whether it will do
     * @throws IllegalArgumentException if a node has no user name or an option that the driver does not take
     */
    public NodePools(
            Collection<Node> nodes,
            Function<NodeId, PoolSettings> pool,
            Function<NodeId, ConnectionSettings> connection,
            int eventLoops,
            ClusterListener listener,
            ConnectionCheck check) {
        this.loops = new EventLoops(eventLoops);
        this.connecting = Schedulers.fromExecutorService(
                new ThreadPoolExecutor(
                        0,
                        CONNECTING_THREADS,
                        CONNECTING_TTL_SECONDS,
                        TimeUnit.SECONDS,
                        new SynchronousQueue<>(),
                        NodePools::connectingThread),
                "reactive-router-connect");
        Map<NodeId, NodePool> made = new LinkedHashMap<>();
        Map<NodeId, NodeConnector> connectors = new LinkedHashMap<>();
        Map<NodeId, NodeConnector> apart = new LinkedHashMap<>();
        for (Node node : nodes) {
            ConnectionSettings own = connection.apply(node.id());
            ConnectionSettings probing = own.withApplicationName(own.applicationName() + PROBES);
            NodeConnector connector = new NodeConnector(node, own, loops, made.size(), connecting, check);
            connectors.put(node.id(), connector);
            apart.put(
                    node.id(), new NodeConnector(node, probing, loops, made.size(), connecting, NodePools::unchecked));
            made.put(node.id(), new R2dbcNodePool(node.id(), pool.apply(node.id()), connector, listener));
        }
        this.pools = Map.copyOf(made);
        this.connectors = Map.copyOf(connectors);
        this.apart = Map.copyOf(apart);
        ShardExecutor pooled = new PooledExecutor(this);
        this.executor = listener.hearsCompletions() ? new ListeningExecutor(pooled, listener) : pooled;
    }

    private static Mono<Void> unchecked(NodeId node, Connection connection) {
        return Mono.empty();
    }

    private static Thread connectingThread(Runnable work) {
        Thread thread = new Thread(work, "reactive-router-connect");
        thread.setDaemon(true);
        return thread;
    }

    /** Returns the executor that runs work on these pools. */
    public ShardExecutor executor() {
        return executor;
    }

    /**
     * Hands out a connection that the caller must close; closing gives it back to the pool, once the server has answered
     * all that it was sent and an open transaction is rolled back. It comes on its event loop.
     */
    public Mono<Connection> acquire(NodeId node) {
        NodePool pool = pool(node);
        // Cached: it happens once, is not undone by a cancel, and whoever closes again waits for the same end.
        return pool.lend()
                .map(connection -> new BorrowedConnection(
                        connection,
                        Mono.defer(() -> pool.settleAndRelease(connection)).cache()));
    }

    /**
     * Takes a connection of {@link #executor()} out of the hands of the work that it was lent to for what the lender does
     * {@code last}: all that the work has sent by then stands before it, and nothing comes after it. Once the connection is on
     * its way back to the pool, as after a cancel, {@code last} is not called any more. Answers that the work has not read are
     * dropped. Fails if one of them is an error, or if the work does not let go in time.
     */
    public static Mono<Void> withdraw(Connection lent, Function<? super Connection, Mono<Void>> last) {
        if (!(lent instanceof LeasedConnection leased)) {
            return last.apply(lent);
        }
        Lease lease = leased.lease();
        Connection connection = leased.physical();
        return lease.withdraw()
                .then(lease.lastly(() -> undisturbed(lease, connection)))
                .then(lease.lastly(() -> last.apply(connection)));
    }

    /**
     * Completes when the server is done with all that the work has sent: the connection does not know before whether its
     * transaction is still open. Costs a round trip only if the work may have left something behind, as it has when it
     * does not wait for the end of the results of a statement.
     */
    private static Mono<Void> undisturbed(Lease lease, Connection connection) {
        boolean left = lease.drain();
        Mono<Void> answered = left || lease.mayBeUnderWay()
                ? Mono.from(connection.validate(ValidationDepth.REMOTE)).then()
                : Mono.empty();
        return answered.then(Mono.defer(() -> {
            Throwable failure = lease.failureOfDropped();
            return failure == null ? Mono.empty() : Mono.error(failure);
        }));
    }

    /** Returns a view of a connection on which closing does nothing: whoever lent it closes it. */
    public static Connection unclosable(Connection connection) {
        return new BorrowedConnection(connection, Mono.empty());
    }

    /** Connects to these nodes, so that the first calls need not, and fails if one of them cannot be reached. */
    public Mono<Void> warmup(List<NodeId> nodes) {
        return Flux.fromIterable(nodes)
                .flatMapDelayError(node -> pool(node).warmup(), 16, 1)
                .then()
                .onErrorStop();
    }

    /**
     * Opens a connection apart from the node's pool, and without its checks, for probes: a full pool does not keep it from
     * being opened. Whoever has it must {@link #cut} it in the end.
     */
    public Mono<Connection> apart(NodeId node) {
        return connector(apart, node).create();
    }

    /** Closes the sockets of a connection that was opened {@link #apart}, without a word to the server or a wait for it. */
    public Mono<Void> cut(NodeId node, Connection connection) {
        return connector(apart, node).abort(connection, CloseReason.SHUTDOWN);
    }

    /**
     * Closes the sockets of all connections in the node's pool: those who are using one get an error, and others are opened
     * when they are needed.
     */
    public Mono<Void> cutAll(NodeId node) {
        return connector(connectors, node).abortAll(CloseReason.FENCED);
    }

    private static NodeConnector connector(Map<NodeId, NodeConnector> connectors, NodeId node) {
        NodeConnector connector = connectors.get(node);
        if (connector == null) {
            throw new IllegalArgumentException("node " + node + " is not part of this cluster");
        }
        return connector;
    }

    /** Returns the figures of a node's pool at this moment. */
    public PoolStatistics statistics(NodeId node) {
        return pool(node).statistics();
    }

    /** Returns how many callers have, or wait for, a connection of a node. */
    public int load(NodeId node) {
        return pool(node).load();
    }

    /** Closes all pools, waits at most five seconds for connections in use, and then stops the event loops. */
    public Mono<Void> close() {
        // A pool that fails to close must not keep the threads.
        return Flux.just(
                        Flux.fromIterable(pools.values()).flatMapDelayError(NodePool::close, 16, 1),
                        Mono.defer(this::returned),
                        loops.close())
                .concatMapDelayError(step -> step)
                .then();
    }

    private Mono<Void> returned() {
        return Flux.interval(Duration.ZERO, RETURN_CHECK)
                .onBackpressureDrop()
                .takeUntil(tick -> pools.values().stream()
                        .allMatch(pool -> pool.statistics().acquired() == 0))
                .take(RETURN_TIMEOUT)
                .then();
    }

    NodePool pool(NodeId node) {
        NodePool pool = pools.get(node);
        if (pool == null) {
            throw new IllegalArgumentException("node " + node + " is not part of this cluster");
        }
        return pool;
    }
}
