package io.reactiverouter.failover;

import io.github.resilience4j.core.IntervalFunction;
import io.r2dbc.spi.Connection;
import io.reactiverouter.connection.AcquireTimeoutException;
import io.reactiverouter.connection.AnswerTimeout;
import io.reactiverouter.connection.CallTimeoutException.Consequence;
import io.reactiverouter.connection.Deadline;
import io.reactiverouter.connection.NotPrimaryException;
import io.reactiverouter.connection.ShardExecutor;
import io.reactiverouter.observation.ClusterListener;
import io.reactiverouter.routing.PrimaryFinder;
import io.reactiverouter.routing.RoutingTable;
import io.reactiverouter.stream.Resume;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.Logger;
import reactor.util.Loggers;

/**
 * Lets calls wait for their shard's primary while it is being replaced. A call whose work has not been called has provably not
 * run: it is made again on the node that has the writes then. What has begun is made again only as far as its {@link Replay}
 * and the budget of the {@link RetrySettings} allow, and never once it has delivered something; its other errors pass through.
 *
 * <p>The table is read again when a call has got its connection: it may have waited for that while the writes went elsewhere.
 */
public final class FailoverExecutor implements ShardExecutor {

    private static final double MULTIPLIER = 2;
    private static final double RANDOMIZATION = 0.5;
    private static final Logger LOG = Loggers.getLogger(FailoverExecutor.class);

    private final ShardExecutor delegate;
    private final RoutingTable table;
    private final FailoverSettings settings;
    private final RetryBudget budget;
    private final IntervalFunction backoff;
    private final long maxBackoffMillis;
    private final PrimaryFinder finder;
    private final ClusterListener listener;
    private final Breakers breakers;
    private final Map<ShardId, AtomicInteger> waiting;

    /**
     * @param listener told of retries; must not throw
     */
    public FailoverExecutor(
            ShardExecutor delegate,
            RoutingTable table,
            FailoverSettings settings,
            RetrySettings retries,
            PrimaryFinder finder,
            ClusterListener listener) {
        this.delegate = delegate;
        this.table = table;
        this.settings = settings;
        this.budget = new RetryBudget(retries, System::nanoTime);
        this.backoff = IntervalFunction.ofExponentialRandomBackoff(
                retries.backoff(), MULTIPLIER, RANDOMIZATION, retries.maxBackoff());
        this.maxBackoffMillis = retries.maxBackoff().toMillis();
        this.finder = finder;
        this.listener = listener;
        this.breakers = new Breakers(table, finder);
        Map<ShardId, AtomicInteger> counts = new HashMap<>();
        table.shards().forEach(shard -> counts.put(shard.id(), new AtomicInteger()));
        this.waiting = Map.copyOf(counts);
    }

    @Override
    public <T> Flux<T> execute(
            NodeId node, Residue residue, Function<? super Connection, ? extends Publisher<T>> work) {
        return execute(node, residue, Replay.NEVER, work);
    }

    /** Does the same with work that may be run again as {@code replay} says. */
    public <T> Flux<T> execute(
            NodeId node, Residue residue, Replay replay, Function<? super Connection, ? extends Publisher<T>> work) {
        return Flux.defer(() -> {
            Execution<T> call = new Execution<>(node, residue, replay, work);
            return Resume.of(call.first(), call::next);
        });
    }

    Breakers breakers() {
        return breakers;
    }

    /**
     * Returns which part of the last calls failed with the node, from 0 to 1: of the last twenty, or of those since calls found
     * it failing and it was tried again. 0 if there were none.
     */
    public double errorRate(NodeId node) {
        return breakers.errorRate(node);
    }

    /** Says whether the budget permits to run something again on another node, and tells the listener if so. */
    boolean permitsRetry(NodeId node, int count, Throwable cause) {
        boolean permits = budget.permits();
        if (permits) {
            listener.retried(node, count, cause);
        }
        return permits;
    }

    /** Says whether the budget permits to ask a second node, and tells the listener if so. */
    boolean permitsHedge(NodeId other) {
        boolean permits = budget.permits();
        if (permits) {
            listener.hedged(other);
        }
        return permits;
    }

    /** Counts a call whose retries the budget permits in proportion. */
    void called() {
        budget.called();
    }

    /** Hands out a connection like {@code acquire}, which hands out one of a node, and waits likewise. */
    public Mono<Connection> acquire(NodeId node, Function<NodeId, Mono<Connection>> acquire) {
        return Flux.deferContextual(context -> {
                    Acquisition call = new Acquisition(node, acquire, Deadline.of(context));
                    return Resume.of(call.first(), call::next);
                })
                .next();
    }

    /** What becomes of one call. Its steps come one after the other. */
    private abstract class Call<T> {

        /** The node of the last attempt. */
        NodeId node;

        private final Replay replay;
        private @Nullable Throwable lastError;

        /** The first error of which nobody knows whether the work took effect. */
        private @Nullable Throwable uncertain;

        private long waitingSince;
        private int attempts;
        private int replays;
        private boolean ended;

        Call(NodeId node, Replay replay) {
            this.node = node;
            this.replay = replay;
        }

        abstract Flux<T> attempt();

        /** Limits a wait that is not for a connection, which could get lost there. */
        <W> Mono<W> untilDeadline(Mono<W> wait) {
            return wait;
        }

        /** Says whether some of the last attempt may have run. */
        abstract boolean begun();

        Flux<T> first() {
            budget.called();
            // A node that is known to be down would only keep its callers waiting, and its pool's connections busy.
            boolean known = table.isEjected(node) && table.nodes(node.shard()).size() > 1;
            return known && !settings.maxWait().isZero() ? afterWait() : attempt();
        }

        /** Returns what comes in place of an attempt that has failed; null if nothing does. */
        @Nullable Flux<T> next(Throwable error) {
            if (ended || error instanceof NoPrimaryException) {
                return outcome(error);
            }
            FailureKind kind = FailureKind.of(error);
            boolean late = error instanceof AcquireTimeoutException;
            if (late || kind.isSuspicious()) {
                finder.suspect(node);
            }
            if (begun()) {
                return replay.covers(kind) && replays < replay.times() ? again(kind, error) : outcome(error);
            }
            if (settings.maxWait().isZero() || !(late || kind.isOfTheNode())) {
                return outcome(error);
            }
            lastError = error;
            return late ? unlessItServes(error, this::afterWait) : afterWait();
        }

        /** What comes last is the error unless an earlier one leaves something open that this one does not know of. */
        private @Nullable Flux<T> outcome(Throwable error) {
            Throwable first = uncertain;
            if (first == null || first == error) {
                return null;
            }
            uncertain = null;
            first.addSuppressed(error);
            return end(first);
        }

        private @Nullable Flux<T> again(FailureKind kind, Throwable error) {
            if (kind == FailureKind.CONFLICT) {
                return permitted(error) ? Mono.delay(pause(replays)).flatMapMany(now -> attempt()) : outcome(error);
            }
            if (settings.maxWait().isZero()) {
                return outcome(error);
            }
            lastError = error;
            if (kind == FailureKind.READ_ONLY) {
                // The transaction may be read-only because its owner said so.
                return unlessItServes(error, () -> permitted(error) ? afterWait() : end(error));
            }
            if (!permitted(error)) {
                return outcome(error);
            }
            if (uncertain == null) {
                uncertain = error;
            }
            return afterWait();
        }

        private boolean permitted(Throwable error) {
            if (!budget.permits()) {
                return false;
            }
            replays++;
            attempts = 0;
            listener.retried(node, replays, error);
            return true;
        }

        /** A full pool of a node that takes writes is no reason to wait any longer. */
        private Flux<T> unlessItServes(Throwable error, Supplier<Flux<T>> otherwise) {
            return untilDeadline(finder.servesWrites(node))
                    .flatMapMany(serves -> serves ? end(error) : otherwise.get());
        }

        private Flux<T> end(Throwable error) {
            ended = true;
            return Flux.error(error);
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
            // A node that answers probes and refuses connections must not be asked in a tight loop.
            boolean slowly = attempts > 1 && !budget.permits();
            Mono<NodeId> primary = Mono.delay(slowly ? Duration.ofMillis(maxBackoffMillis) : pause(attempts))
                    .then(Mono.defer(() -> finder.primary(shard)))
                    .timeout(left)
                    .onErrorMap(
                            TimeoutException.class,
                            late -> noPrimary(settings.maxWait(), "waited " + settings.maxWait() + " for one"))
                    .doFinally(end -> others.decrementAndGet());
            return untilDeadline(primary).flatMapMany(found -> {
                node = found;
                return attempt();
            });
        }

        private Duration pause(int attempt) {
            return Duration.ofMillis(backoff.apply(attempt));
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

        Execution(
                NodeId node,
                Residue residue,
                Replay replay,
                Function<? super Connection, ? extends Publisher<T>> work) {
            super(node, replay);
            this.residue = residue;
            this.work = work;
        }

        @Override
        Flux<T> attempt() {
            begun = false;
            return breakers.watch(node, delegate.execute(node, residue, this));
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
        private final @Nullable Deadline deadline;

        Acquisition(NodeId node, Function<NodeId, Mono<Connection>> acquire, @Nullable Deadline deadline) {
            super(node, Replay.NEVER);
            this.acquire = acquire;
            this.deadline = deadline;
        }

        @Override
        <W> Mono<W> untilDeadline(Mono<W> wait) {
            return AnswerTimeout.limit(wait.flux(), node.shard(), null, deadline, () -> Consequence.NOT_RUN)
                    .next();
        }

        @Override
        Flux<Connection> attempt() {
            return breakers.watch(node, acquire.apply(node).flux()).<Connection>handle((connection, sink) -> {
                if (table.takesWrites(node)) {
                    sink.next(connection);
                } else {
                    Mono.from(connection.close())
                            .subscribe(null, error -> LOG.debug("a connection was not given back", error));
                    sink.error(moved());
                }
            });
        }

        /** With the connection it ends. */
        @Override
        boolean begun() {
            return false;
        }
    }
}
