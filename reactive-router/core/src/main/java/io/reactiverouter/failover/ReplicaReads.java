package io.reactiverouter.failover;

import io.r2dbc.spi.Connection;
import io.reactiverouter.connection.AcquireTimeoutException;
import io.reactiverouter.connection.PoolExhaustedException;
import io.reactiverouter.connection.ShardExecutor;
import io.reactiverouter.routing.PrimaryFinder;
import io.reactiverouter.routing.ReadTargets;
import io.reactiverouter.routing.ReadYourWrites;
import io.reactiverouter.routing.RoutingTable;
import io.reactiverouter.stream.Resume;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.ReadPreference;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Runs reads on the nodes that they prefer. One that fails with its node, before it has delivered anything, is run again on the
 * next node; once all have been tried the primary, where it may be read from, is waited for as by other calls. Reads
 * of somebody who has written see what they wrote: {@link ReadYourWrites}.
 */
public final class ReplicaReads {

    private final ShardExecutor delegate;
    private final FailoverExecutor failover;
    private final RoutingTable table;
    private final ReadTargets targets;
    private final PrimaryFinder finder;
    private final Duration catchUp;
    private final Breakers breakers;
    private final Map<ShardId, Latencies> latencies = new ConcurrentHashMap<>();

    /**
     * @param delegate runs work on a node
     * @param failover runs work on primaries
     */
    public ReplicaReads(
            ShardExecutor delegate,
            FailoverExecutor failover,
            RoutingTable table,
            ReadTargets targets,
            PrimaryFinder finder,
            ReadSettings settings) {
        this.delegate = delegate;
        this.failover = failover;
        this.table = table;
        this.targets = targets;
        this.finder = finder;
        this.catchUp = settings.catchUp();
        this.breakers = failover.breakers();
    }

    /** Runs work that only reads on a node of a shard. */
    public <T> Flux<T> execute(
            ShardId shard,
            ReadPreference preference,
            ShardExecutor.Residue residue,
            Function<? super Connection, ? extends Publisher<T>> work) {
        if (preference.from() == ReadPreference.From.PRIMARY) {
            return failover.execute(table.primary(shard), residue, Replay.IDEMPOTENT, work);
        }
        return Flux.deferContextual(context -> {
            ReadYourWrites writes = ReadYourWrites.of(context);
            Read<T> read = new Read<>(shard, preference, residue, work, writes == null ? 0 : writes.position(shard));
            Flux<T> attempts = Flux.defer(() -> Resume.of(read.first(), read::next));
            // Nobody knows the roles of nodes that have never been asked.
            return table.readTargets(shard).isEmpty()
                    ? finder.verify(shard).thenReturn(attempts).flatMapMany(known -> known)
                    : attempts;
        });
    }

    /** Returns what runs reads of this preference, wherever they are sent to. */
    public ShardExecutor reading(ReadPreference preference) {
        return new ShardExecutor() {
            @Override
            public <T> Flux<T> execute(
                    NodeId node, Residue residue, Function<? super Connection, ? extends Publisher<T>> work) {
                return ReplicaReads.this.execute(node.shard(), preference, residue, work);
            }
        };
    }

    /** One call. Its steps come one after the other. */
    private final class Read<T> {

        private final ShardId shard;
        private final ReadPreference preference;
        private final ShardExecutor.Residue residue;
        private final Function<? super Connection, ? extends Publisher<T>> work;
        private final long position;
        private List<NodeId> order = List.of();
        private int turn;
        private boolean last;
        private @Nullable NodeId node;

        /** The best of those that their breakers have kept from being tried. */
        private @Nullable NodeId leftOut;

        private volatile boolean catchingUp;
        private volatile long catchUpEnd;

        Read(
                ShardId shard,
                ReadPreference preference,
                ShardExecutor.Residue residue,
                Function<? super Connection, ? extends Publisher<T>> work,
                long position) {
            this.shard = shard;
            this.preference = preference;
            this.residue = residue;
            this.work = work;
            this.position = position;
        }

        Flux<T> first() {
            failover.called();
            order = targets.of(shard, preference, position);
            return attempt(null);
        }

        @Nullable Flux<T> next(Throwable error) {
            NodeId failed = node;
            if (last || failed == null) {
                return null;
            }
            FailureKind kind = FailureKind.of(error);
            boolean busy = error instanceof AcquireTimeoutException || error instanceof PoolExhaustedException;
            boolean behind = error instanceof NotCaughtUpException;
            if (!busy && !behind && !kind.isOfTheNode() && kind != FailureKind.CONFLICT) {
                return null;
            }
            if (kind.isOfTheNode()) {
                finder.suspect(failed);
            }
            return behind || failover.permitsRetry(failed, turn, error) ? attempt(error) : null;
        }

        private Flux<T> attempt(@Nullable Throwable before) {
            while (turn < order.size()) {
                NodeId candidate = order.get(turn++);
                boolean primary = table.takesWrites(candidate);
                if (primary && turn == order.size()) {
                    break;
                }
                boolean permitted = !primary && breakers.permits(candidate);
                if (primary || permitted) {
                    node = candidate;
                    Flux<T> answer = permitted
                            ? breakers.watchPermitted(candidate, on(candidate))
                            : breakers.watch(candidate, on(candidate));
                    return preference.hedged() ? hedged(answer) : answer;
                }
                leftOut = leftOut == null ? candidate : leftOut;
            }
            NodeId least = leftOut;
            if (least != null && !hasPrimary()) {
                leftOut = null;
                node = least;
                return breakers.watch(least, on(least));
            }
            last = true;
            if (preference.from() == ReadPreference.From.REPLICA) {
                String why = position == ReadYourWrites.UNKNOWN
                        ? "where the caller's last write is, only the primary knows"
                        : "known are " + finder.describe(shard);
                return Flux.error(new NoReplicaException(shard, why, before));
            }
            return failover.execute(table.primary(shard), residue, Replay.IDEMPOTENT, work);
        }

        /** Says whether there is still a primary that may be read from, as far as is known. */
        private boolean hasPrimary() {
            NodeId primary = table.primary(shard);
            return preference.from() != ReadPreference.From.REPLICA
                    && table.takesWrites(primary)
                    && !table.isEjected(primary);
        }

        /** Asks the next node too when this one takes longer than most; its failure changes nothing for this one. */
        private Flux<T> hedged(Flux<T> answer) {
            Latencies ofShard = latencies.computeIfAbsent(shard, added -> new Latencies());
            Duration most = ofShard.percentile();
            Flux<T> watched = ofShard.watch(answer);
            if (most == null || turn >= order.size()) {
                return watched;
            }
            NodeId other = order.get(turn);
            return Flux.firstWithSignal(List.of(watched, Mono.delay(most).flatMapMany(late -> hedge(other))));
        }

        private Flux<T> hedge(NodeId other) {
            boolean primary = table.takesWrites(other);
            if (!primary && !breakers.permits(other)) {
                return Flux.never();
            }
            if (!failover.permitsHedge(other)) {
                if (!primary) {
                    breakers.release(other);
                }
                return Flux.never();
            }
            Flux<T> answer = primary ? breakers.watch(other, on(other)) : breakers.watchPermitted(other, on(other));
            return Resume.of(answer, error -> Flux.never());
        }

        private Flux<T> on(NodeId candidate) {
            return delegate.execute(candidate, residue, connection -> {
                if (!table.isReadable(candidate)) {
                    return Flux.error(new NotCaughtUpException(candidate, "it is fenced off by now"));
                }
                // The wait for a connection may have been long: what it was before does not count.
                return position == 0 || table.takesWrites(candidate)
                        ? work.apply(connection)
                        : CatchUp.await(candidate, connection, position, catchUpLeft())
                                .flatMapMany(applied -> work.apply(connection));
            });
        }

        /** All replicas together have that long. */
        private Duration catchUpLeft() {
            long now = System.nanoTime();
            if (!catchingUp) {
                catchingUp = true;
                catchUpEnd = now + catchUp.toNanos();
            }
            return Duration.ofNanos(Math.max(0, catchUpEnd - now));
        }
    }
}
