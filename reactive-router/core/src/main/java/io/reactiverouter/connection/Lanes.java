package io.reactiverouter.connection;

import io.r2dbc.spi.Connection;
import io.reactiverouter.observation.CloseReason;
import io.reactiverouter.stream.OnError;
import io.reactiverouter.topology.NodeId;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;

/** The connections to one node that statements share. Opened one after another, when those that are open are busy. */
final class Lanes {

    private final NodeId node;
    private final NodeConnector connector;
    private final SharedSettings settings;
    private final long maxLifetimeNanos;
    private final long maxIdleNanos;
    private final AtomicReferenceArray<@Nullable Lane> lanes;
    private volatile boolean closed;

    Lanes(NodeId node, NodeConnector connector, SharedSettings settings, PoolSettings pool) {
        this.node = node;
        this.connector = connector;
        this.settings = settings;
        this.maxLifetimeNanos = pool.maxLifetime().toNanos();
        this.maxIdleNanos = pool.maxIdleTime().toNanos();
        this.lanes = new AtomicReferenceArray<@Nullable Lane>(settings.connections());
    }

    /** Runs a single statement behind those that are there already. */
    <T> Flux<T> execute(Function<? super Connection, ? extends Publisher<T>> work) {
        return OnError.map(
                Flux.defer(() -> {
                    Lane lane = enter();
                    return lane == null ? Flux.<T>error(refusal()) : lane.run(work);
                }),
                error -> NodeFailure.annotate(node, error));
    }

    private Throwable refusal() {
        return closed ? new ClusterClosedException() : new PoolExhaustedException(node, settings, Lane.MAX_PENDING);
    }

    /** Returns the least busy one, in which there is a place now; null if there is none. */
    private @Nullable Lane enter() {
        for (int attempt = 0; attempt < lanes.length() + 1 && !closed; attempt++) {
            Lane lane = leastBusy();
            if (lane != null && lane.enter()) {
                return lane;
            }
        }
        return null;
    }

    private @Nullable Lane leastBusy() {
        long now = System.nanoTime();
        Lane open = null;
        Lane opening = null;
        int free = -1;
        Lane over = null;
        for (int i = 0; i < lanes.length(); i++) {
            Lane lane = lanes.get(i);
            if (lane == null || lane.isOver(now, maxLifetimeNanos, maxIdleNanos)) {
                free = i;
                over = lane;
            } else if (lane.isOpen()) {
                open = lessBusy(open, lane);
            } else {
                opening = lessBusy(opening, lane);
            }
        }
        // One more if all are busy; one at a time while there is one that is open.
        boolean more = open == null ? opening == null || opening.pending() > 0 : opening == null && open.pending() > 0;
        Lane added = more && free >= 0 ? add(free, over) : null;
        return open != null ? open : added != null ? added : opening;
    }

    private static Lane lessBusy(@Nullable Lane one, Lane other) {
        return one == null || other.pending() < one.pending() ? other : one;
    }

    private @Nullable Lane add(int index, @Nullable Lane before) {
        Lane made = new Lane(connector, settings.statementTimeout());
        if (!lanes.compareAndSet(index, before, made)) {
            return null;
        }
        if (closed) {
            made.retire(CloseReason.SHUTDOWN);
            return null;
        }
        made.open();
        return made;
    }

    /** Takes no more statements; connections are closed when those that are under way have ended. */
    void close() {
        closed = true;
        for (int i = 0; i < lanes.length(); i++) {
            Lane lane = lanes.get(i);
            if (lane != null) {
                lane.retire(CloseReason.SHUTDOWN);
            }
        }
    }

    /** Returns how many statements wait or run. */
    int load() {
        int load = 0;
        for (int i = 0; i < lanes.length(); i++) {
            Lane lane = lanes.get(i);
            load += lane == null ? 0 : Math.max(0, lane.pending());
        }
        return load;
    }
}
