package io.reactiverouter.failover;

import io.r2dbc.spi.Connection;
import io.reactiverouter.connection.AcquireTimeoutException;
import io.reactiverouter.connection.NotPrimaryException;
import io.reactiverouter.connection.ShardExecutor;
import io.reactiverouter.routing.PrimaryFinder;
import io.reactiverouter.routing.RoutingTable;
import io.reactiverouter.stream.Resume;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.Logger;
import reactor.util.Loggers;

/**
 * Lets calls wait for their shard's primary while it is being replaced. A call whose work has not been called has provably not
 * run: it is made again on the node that has the writes then. Once its work has begun, its errors pass through.
 *
 * <p>The table is read again when a call has got its connection: it may have waited for that while the writes went elsewhere.
 */
public final class FailoverExecutor implements ShardExecutor {

    private static final Duration FIRST_PAUSE = Duration.ofMillis(20);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);
    private static final Logger LOG = Loggers.getLogger(FailoverExecutor.class);

    private final ShardExecutor delegate;
    private final RoutingTable table;
    private final FailoverSettings settings;
    private final PrimaryFinder finder;
    private final Map<ShardId, AtomicInteger> waiting;

    public FailoverExecutor(
            ShardExecutor delegate, RoutingTable table, FailoverSettings settings, PrimaryFinder finder) {
        this.delegate = delegate;
        this.table = table;
        this.settings = settings;
        this.finder = finder;
        Map<ShardId, AtomicInteger> counts = new HashMap<>();
        table.shards().forEach(shard -> counts.put(shard.id(), new AtomicInteger()));
        this.waiting = Map.copyOf(counts);
    }

    @Override
    public <T> Flux<T> execute(
            NodeId node, Residue residue, Function<? super Connection, ? extends Publisher<T>> work) {
        return Flux.defer(() -> {
            Execution<T> call = new Execution<>(node, residue, work);
            return Resume.of(call.first(), call::next);
        });
    }

    /** Hands out a connection like {@code acquire}, which hands out one of a node, and waits likewise. */
    public Mono<Connection> acquire(NodeId node, Function<NodeId, Mono<Connection>> acquire) {
        return Flux.defer(() -> {
                    Acquisition call = new Acquisition(node, acquire);
                    return Resume.of(call.first(), call::next);
                })
                .next();
    }

    /** What becomes of one call. Its steps come one after the other. */
    private abstract class Call<T> {

        /** The node of the last attempt. */
        NodeId node;

        private @Nullable Throwable lastError;
        private long waitingSince;
        private int attempts;
        private boolean asked;

        Call(NodeId node) {
            this.node = node;
        }

        abstract Flux<T> attempt();

        /** Says whether some of it may have run. */
        abstract boolean begun();

        Flux<T> first() {
            // A node that is known to be down would only keep its callers waiting, and its pool's connections busy.
            boolean known = table.isEjected(node) && table.nodes(node.shard()).size() > 1;
            return known && !settings.maxWait().isZero() ? afterWait() : attempt();
        }

        /** Returns what comes in place of an attempt that has failed; null if nothing does. */
        @Nullable Flux<T> next(Throwable error) {
            if (error instanceof NoPrimaryException || asked) {
                return null;
            }
            if (Failures.isSuspicious(error)) {
                finder.suspect(node);
            }
            if (begun() || settings.maxWait().isZero()) {
                return null;
            }
            lastError = error;
            if (Failures.isOfTheNode(error)) {
                return afterWait();
            }
            return error instanceof AcquireTimeoutException ? unlessItAnswers(error) : null;
        }

        /** A full pool of a node that answers is no reason to wait any longer. */
        private Flux<T> unlessItAnswers(Throwable error) {
            return finder.answers(node).flatMapMany(answers -> {
                if (answers && table.takesWrites(node)) {
                    asked = true;
                    return Flux.error(error);
                }
                return afterWait();
            });
        }

        private Flux<T> afterWait() {
            ShardId shard = node.shard();
            long now = System.nanoTime();
            if (attempts == 0) {
                waitingSince = now;
            }
            attempts++;
            Duration waited = Duration.ofNanos(now - waitingSince);
            Duration left = settings.maxWait().minus(waited);
            if (left.isNegative() || left.isZero()) {
                return Flux.error(noPrimary(waited, "waited " + waited + " for one"));
            }
            AtomicInteger others = waiting.get(shard);
            if (others == null) {
                return Flux.error(new IllegalArgumentException("shard " + shard + " is not part of the cluster"));
            }
            if (others.incrementAndGet() > settings.maxWaiting()) {
                others.decrementAndGet();
                return Flux.error(noPrimary(
                        waited,
                        settings.maxWaiting() + " calls wait for one already, the limit of the failover settings"));
            }
            return Mono.delay(pause())
                    .then(Mono.defer(() -> finder.primary(shard)))
                    .timeout(left)
                    .onErrorMap(
                            TimeoutException.class,
                            late -> noPrimary(settings.maxWait(), "waited " + settings.maxWait() + " for one"))
                    .doFinally(end -> others.decrementAndGet())
                    .flatMapMany(found -> {
                        node = found;
                        return attempt();
                    });
        }

        /** A node that answers probes and refuses connections must not be asked in a tight loop. */
        private Duration pause() {
            long nanos = Math.min(LONGEST_PAUSE.toNanos(), FIRST_PAUSE.toNanos() << Math.min(attempts - 1, 10));
            return Duration.ofNanos(nanos / 2 + ThreadLocalRandom.current().nextLong(nanos / 2));
        }

        private NoPrimaryException noPrimary(Duration waited, String what) {
            return new NoPrimaryException(
                    node.shard(), waited, what + "; known are " + finder.describe(node.shard()), lastError);
        }

        /** Returns the error of a call whose node has lost the writes before it could begin. */
        NotPrimaryException moved() {
            NodeId primary = table.primary(node.shard());
            return new NotPrimaryException(
                    node, primary.equals(node) ? "it is fenced off" : "the writes have gone to " + primary.endpoint());
        }
    }

    private final class Execution<T> extends Call<T> implements Function<Connection, Publisher<T>> {

        private final Residue residue;
        private final Function<? super Connection, ? extends Publisher<T>> work;
        private volatile boolean begun;

        Execution(NodeId node, Residue residue, Function<? super Connection, ? extends Publisher<T>> work) {
            super(node);
            this.residue = residue;
            this.work = work;
        }

        @Override
        Flux<T> attempt() {
            return delegate.execute(node, residue, this);
        }

        @Override
        public Publisher<T> apply(Connection connection) {
            if (!table.takesWrites(node)) {
                return Flux.error(moved());
            }
            begun = true;
            return work.apply(connection);
        }

        @Override
        boolean begun() {
            return begun;
        }
    }

    private final class Acquisition extends Call<Connection> {

        private final Function<NodeId, Mono<Connection>> acquire;

        Acquisition(NodeId node, Function<NodeId, Mono<Connection>> acquire) {
            super(node);
            this.acquire = acquire;
        }

        @Override
        Flux<Connection> attempt() {
            return acquire.apply(node)
                    .<Connection>handle((connection, sink) -> {
                        if (table.takesWrites(node)) {
                            sink.next(connection);
                        } else {
                            Mono.from(connection.close())
                                    .subscribe(null, error -> LOG.debug("a connection was not given back", error));
                            sink.error(moved());
                        }
                    })
                    .flux();
        }

        /** With the connection it ends. */
        @Override
        boolean begun() {
            return false;
        }
    }
}
