package io.reactiverouter.connection;

import io.reactiverouter.observation.ClusterListener;
import io.reactiverouter.topology.NodeId;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import reactor.core.Disposable;
import reactor.core.scheduler.Schedulers;
import reactor.util.Logger;
import reactor.util.Loggers;

/** Watches one connection while it is out of its pool, and says once if that takes too long. */
final class LeakWatch {

    private static final Logger LOG = Loggers.getLogger(LeakWatch.class);

    private final NodeId node;
    private final ClusterListener listener;
    private final Throwable acquiredAt;
    private final long start = System.nanoTime();
    private final Disposable timer;
    private volatile boolean reported;

    /**
     * Begins to watch.
     *
     * @param acquiredAt made where the connection was asked for
     */
    LeakWatch(NodeId node, Duration limit, ClusterListener listener, Throwable acquiredAt) {
        this.node = node;
        this.listener = listener;
        this.acquiredAt = acquiredAt;
        this.timer = Schedulers.parallel().schedule(this::report, limit.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** Returns what shows, in its stack trace, who is asking for a connection now. */
    static Throwable here(NodeId node) {
        return new AcquiredHere(node);
    }

    private void report() {
        reported = true;
        long held = System.nanoTime() - start;
        LOG.warn(
                "a connection to {} has been out of its pool for {}: close it, end the work that has it, or read its"
                        + " rows; if that may take so long, raise the pool's leakThreshold",
                node,
                Duration.ofNanos(held),
                acquiredAt);
        listener.leakSuspected(node, held, acquiredAt);
    }

    /** Ends with the owner's time. */
    void end() {
        timer.dispose();
        if (reported) {
            reported = false;
            LOG.info(
                    "the connection to {} that was out of its pool for too long has been given back after {}",
                    node,
                    Duration.ofNanos(System.nanoTime() - start));
        }
    }

    private static final class AcquiredHere extends RuntimeException {

        private static final long serialVersionUID = 1L;

        AcquiredHere(NodeId node) {
            super("a connection to " + node + " was asked for here");
        }
    }
}
