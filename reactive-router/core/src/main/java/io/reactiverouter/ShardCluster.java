package io.reactiverouter;

import io.r2dbc.spi.Connection;
import io.reactiverouter.connection.ConnectionSettings;
import io.reactiverouter.connection.Limits;
import io.reactiverouter.connection.NodePools;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.connection.PoolStatistics;
import io.reactiverouter.connection.ShardExecutor;
import io.reactiverouter.failover.FailoverExecutor;
import io.reactiverouter.failover.FailoverSettings;
import io.reactiverouter.failover.ReadSettings;
import io.reactiverouter.failover.ReplicaReads;
import io.reactiverouter.failover.RetrySettings;
import io.reactiverouter.health.ClusterStatus;
import io.reactiverouter.health.HealthMonitor;
import io.reactiverouter.health.HealthSettings;
import io.reactiverouter.health.ShardStatus;
import io.reactiverouter.observation.CallInstrumentation;
import io.reactiverouter.observation.ClusterListener;
import io.reactiverouter.routing.ReadTargets;
import io.reactiverouter.routing.RoutingTable;
import io.reactiverouter.scatter.PageCursor;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.util.context.Context;

/**
 * A cluster of PostgreSQL shards and the pools of connections to their nodes. Does no I/O before its first use, or
 * {@link #warmup()}. Thread-safe; one for an application, closed when the application ends.
 *
 * <pre>{@code
 * ShardCluster cluster = ShardCluster.builder()
 *     .shard(Shard.named("s0").primary("r2dbc:postgresql://app@db0:5432/app"))
 *     .shard(Shard.named("s1").primary("r2dbc:postgresql://app@db1:5432/app"))
 *     .build();
 * }</pre>
 */
public interface ShardCluster {

    /** Starts a cluster without shards and with default settings. */
    static Builder builder() {
        return new Builder();
    }

    /**
     * Returns the router of a keyspace, placing the keyspace on the cluster with the first call.
     *
     * @throws IllegalArgumentException if another keyspace has this name, or its strategy does not suit the cluster
     */
    ShardRouter router(Keyspace keyspace);

    /**
     * Returns calls to a shard by its name, without a key: for administration.
     *
     * @throws IllegalArgumentException if the cluster has no such shard
     */
    ShardOperations shard(ShardId shard);

    /** Returns calls to all shards of the cluster, whatever the keyspace: for administration. */
    ScatterOperations allShards();

    /** Returns the shards in the order in which they were named. */
    List<Shard> shards();

    /**
     * Returns the figures of a node's pool at this moment.
     *
     * @throws IllegalArgumentException if the cluster has no such node
     */
    PoolStatistics poolStatistics(NodeId node);

    /**
     * Returns what is known of all nodes at this moment: their states, roles and lag. Nodes are watched from the first call or
     * {@link #warmup()} on; before that nothing is known of them.
     */
    ClusterStatus status();

    /**
     * Returns what is known of the nodes of one shard at this moment.
     *
     * @throws IllegalArgumentException if the cluster has no such shard
     */
    default ShardStatus status(ShardId shard) {
        return status().shard(shard);
    }

    /**
     * Begins to watch all nodes, as the first call would: each has one connection for that, apart from the pools. Does nothing if
     * that has begun.
     */
    void watch();

    /**
     * Asks all nodes now, and returns what is known when all have answered, or have not within the timeout of probes: the state
     * of a node is never older than that then.
     */
    Mono<ClusterStatus> refresh();

    /**
     * Writes down in the database of every shard which shard it is, so that a connection that reaches another one is refused.
     * To be called once, when the shards are known to be right: makes the table {@code reactive_router.identity}, for which
     * the login needs the right to make a schema. A database that says the same already stays as it is; one that says
     * something else is left as it is, and the call fails with
     * {@link io.reactiverouter.connection.WrongDatabaseException}.
     *
     * @throws IllegalStateException if the cluster has no {@linkplain Builder#name name}
     */
    Mono<Void> writeIdentities();

    /**
     * Connects to the primary of every shard, and opens the smallest number of connections of the settings, so that the
     * first calls need not. Fails if a primary cannot be reached; the others are warm all the same.
     */
    Mono<Void> warmup();

    /**
     * Closes all pools: idle connections at once, others when their work ends. Calls that begin later fail with
     * {@link io.reactiverouter.connection.ClusterClosedException}. Closing again does nothing.
     */
    Mono<Void> close();

    /**
     * Marks a Reactor context as being inside a transaction on a shard that another framework has begun, so that calls of
     * this cluster join it or fail as inside {@link ShardOperations#inTransaction}. For integrations.
     *
     * @param connection gives the transaction's connection; nobody closes what it gives
     */
    Function<Context, Context> inTransactionOf(ShardId shard, Mono<? extends Connection> connection);

    /** Builds a cluster. Not thread-safe. */
    final class Builder {

        private final List<Shard> shards = new ArrayList<>();
        private final NodeSettings<PoolSettings> pools = new NodeSettings<>("pool settings", PoolSettings.DEFAULTS);
        private final NodeSettings<ConnectionSettings> connections =
                new NodeSettings<>("connection settings", ConnectionSettings.DEFAULTS);
        private HealthSettings health = HealthSettings.DEFAULTS;
        private FailoverSettings failover = FailoverSettings.DEFAULTS;
        private RetrySettings retry = RetrySettings.DEFAULTS;
        private ReadSettings reads = ReadSettings.DEFAULTS;
        private ClusterListener listener = ClusterListener.NONE;
        private CallInstrumentation instrumentation = CallInstrumentation.NONE;
        private Duration callTimeout = Duration.ofSeconds(30);
        private @Nullable PageCursor cursors;
        private @Nullable String name;
        private int eventLoops = Math.max(4, Runtime.getRuntime().availableProcessors());

        private Builder() {}

        /** Adds a shard; their order counts for strategies such as modulo. */
        public Builder shard(Shard shard) {
            shards.add(shard);
            return this;
        }

        /** Adds shards. */
        public Builder shards(Iterable<Shard> more) {
            more.forEach(shards::add);
            return this;
        }

        /**
         * Names the cluster: from then on every database must say, in the table {@code reactive_router.identity}, that it is
         * the shard that it is taken for, of the cluster of this name; others are refused before a statement runs.
         * {@link ShardCluster#writeIdentities()} writes that down. Unless set, a database need not say anything; one that
         * has the table is refused if it says that it is another shard.
         *
         * @throws IllegalArgumentException if the name is blank
         */
        public Builder name(String clusterName) {
            if (clusterName.isBlank()) {
                throw new IllegalArgumentException("name of the cluster must not be blank");
            }
            this.name = clusterName;
            return this;
        }

        /** Sets the pool of every node; {@link PoolSettings#DEFAULTS} unless set. */
        public Builder pool(PoolSettings settings) {
            pools.set(settings);
            return this;
        }

        /** Sets the pool of every node of one shard, whatever all the others have. */
        public Builder pool(ShardId shard, PoolSettings settings) {
            pools.set(shard, settings);
            return this;
        }

        /** Sets the pool of one node, whatever its shard has. */
        public Builder pool(NodeId node, PoolSettings settings) {
            pools.set(node, settings);
            return this;
        }

        /** Sets how every connection is opened; {@link ConnectionSettings#DEFAULTS} unless set. */
        public Builder connection(ConnectionSettings settings) {
            connections.set(settings);
            return this;
        }

        /** Sets how connections to the nodes of one shard are opened, whatever all the others have. */
        public Builder connection(ShardId shard, ConnectionSettings settings) {
            connections.set(shard, settings);
            return this;
        }

        /** Sets how connections to one node are opened, whatever its shard has. */
        public Builder connection(NodeId node, ConnectionSettings settings) {
            connections.set(node, settings);
            return this;
        }

        /** Sets how nodes are watched; {@link HealthSettings#DEFAULTS} unless set. */
        public Builder health(HealthSettings settings) {
            this.health = settings;
            return this;
        }

        /** Sets how calls wait for a primary; {@link FailoverSettings#DEFAULTS} unless set. */
        public Builder failover(FailoverSettings settings) {
            this.failover = settings;
            return this;
        }

        /** Sets how calls are run again, and how many may be; {@link RetrySettings#DEFAULTS} unless set. */
        public Builder retry(RetrySettings settings) {
            this.retry = settings;
            return this;
        }

        /** Sets how reads find a node; {@link ReadSettings#DEFAULTS} unless set. */
        public Builder reads(ReadSettings settings) {
            this.reads = settings;
            return this;
        }

        /** Sets who hears of what happens; nobody unless set. */
        public Builder listener(ClusterListener newListener) {
            this.listener = newListener;
            return this;
        }

        /** Sets who watches calls; nobody unless set. */
        public Builder instrumentation(CallInstrumentation newInstrumentation) {
            this.instrumentation = CallInstrumentation.guarded(newInstrumentation);
            return this;
        }

        /**
         * Sets the time limit of calls that set none themselves, see {@link ShardOperations#timeout} and
         * {@link ScatterOperations#shardTimeout}; 30 s unless set, zero is no limit.
         *
         * @throws IllegalArgumentException if it is negative
         */
        public Builder callTimeout(Duration timeout) {
            Limits.notNegative("callTimeout", timeout);
            this.callTimeout = timeout;
            return this;
        }

        /** Sets how many event loops, and so threads, all connections share; the number of cores, at least 4, unless set. */
        public Builder eventLoops(int loops) {
            this.eventLoops = loops;
            return this;
        }

        /**
         * Sets the key that signs the cursors of {@link ScatterOperations#page}, at least 32 random bytes and the same in
         * every instance of the application. Unless set each cluster makes its own, and its cursors are good for nobody
         * else, nor after a restart.
         *
         * @throws IllegalArgumentException if it is too short
         */
        public Builder cursorKey(byte[] key) {
            this.cursors = new PageCursor(key.clone());
            return this;
        }

        private static PageCursor ownCursors() {
            byte[] key = new byte[PageCursor.MIN_KEY_LENGTH];
            new SecureRandom().nextBytes(key);
            return new PageCursor(key);
        }

        /**
         * Returns the cluster, which owns its pools and threads.
         *
         * @throws IllegalArgumentException if there is no shard, a name comes twice, settings are for a shard or node that is not there,
         *     or a URL or setting is not usable
         */
        public ShardCluster build() {
            List<Shard> distinct = Shard.requireDistinct(shards);
            pools.requireKnown(distinct);
            connections.requireKnown(distinct);
            ClusterListener guarded = ClusterListener.guarded(listener);
            RoutingTable table = new RoutingTable(distinct);
            Admission admission = new Admission(table, name);
            NodePools opened = new NodePools(
                    distinct.stream().flatMap(shard -> shard.nodes().stream()).toList(),
                    pools,
                    connections,
                    eventLoops,
                    guarded,
                    admission);
            HealthMonitor monitor = new HealthMonitor(table, opened, health, guarded);
            admission.ask(monitor);
            ShardExecutor nodes = InstrumentedExecutor.of(opened.executor(), instrumentation, table);
            FailoverExecutor executor = new FailoverExecutor(nodes, table, failover, retry, monitor, guarded);
            return new DefaultShardCluster(
                    table,
                    opened,
                    monitor,
                    executor,
                    new ReplicaReads(
                            nodes,
                            executor,
                            table,
                            new ReadTargets(table, reads.region(), opened::load),
                            monitor,
                            reads),
                    name,
                    callTimeout.isZero() ? null : callTimeout,
                    cursors == null ? ownCursors() : cursors,
                    instrumentation);
        }
    }
}
