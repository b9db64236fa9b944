package io.reactiverouter.connection;

import io.r2dbc.postgresql.api.PostgresqlConnection;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.ValidationDepth;
import io.reactiverouter.observation.CloseReason;
import io.reactiverouter.observation.ClusterListener;
import io.reactiverouter.topology.NodeId;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.pool.InstrumentedPool;
import reactor.pool.PoolAcquirePendingLimitException;
import reactor.pool.PoolBuilder;
import reactor.pool.PoolShutdownException;
import reactor.pool.PooledRefMetadata;
import reactor.util.Logger;
import reactor.util.Loggers;

/**
 * {@link NodePool} on reactor-pool, as r2dbc-pool is. That one would also look twice for each use whether the connection is open,
 * and make a text each time that it does; here it is looked at when it is handed out or comes back.
 */
final class R2dbcNodePool implements NodePool {

    /** Most cancelled statements end by themselves within this time; only others cost a cancel request. */
    private static final Duration GRACE = Duration.ofMillis(50);

    /** For all that settles a connection. Whoever waits for it in the pool can still get another one in its place. */
    private static final Duration SETTLE_TIMEOUT = Duration.ofSeconds(4);

    private static final Duration CANCEL_AGAIN = Duration.ofMillis(250);
    private static final int CANCELS = (int) SETTLE_TIMEOUT.dividedBy(CANCEL_AGAIN);

    /** Not shorter: on a machine that is busy enough, opening the connection of a cancel request takes longer than a second. */
    private static final Duration CANCEL_TIMEOUT = Duration.ofSeconds(3);

    private static final Duration EVICTION_INTERVAL = Duration.ofSeconds(30);
    private static final Duration WARMUP_CHECK = Duration.ofMillis(10);
    private static final Logger LOG = Loggers.getLogger(R2dbcNodePool.class);

    private final NodeId node;
    private final PoolSettings settings;
    private final NodeConnector connector;
    private final ClusterListener listener;
    private final InstrumentedPool<PooledConnection> pool;
    private final Mono<LeasedConnection> acquire;
    private final Mono<LeasedConnection> lend;
    private final InstrumentedPool.PoolMetrics metrics;
    private final PoolCounts counts;

    R2dbcNodePool(NodeId node, PoolSettings settings, NodeConnector connector, ClusterListener listener) {
        this.node = node;
        this.settings = settings;
        this.connector = connector;
        this.listener = listener;
        this.counts = connector.counts();
        this.pool = PoolBuilder.from(
                        connector.logins().sparing(connector.create()).map(this::pooled))
                .metricsRecorder(counts)
                .evictionPredicate(this::isSpent)
                .evictInBackground(EVICTION_INTERVAL)
                .destroyHandler(this::close)
                // So that those that are not needed stay idle until they are closed.
                .idleResourceReuseMruOrder()
                .maxPendingAcquire(settings.maxPending())
                .allocationStrategy(
                        new GradualGrowth(settings.minSize(), settings.maxSize(), this::logins, this::isCrowded))
                .buildPool();
        this.metrics = pool.metrics();
        this.acquire = handingOut(new Limiting());
        this.lend = handingOut(new Lending());
        connector.logins().whenFree(this::growOn);
    }

    private Mono<LeasedConnection> handingOut(HandOut.Preparation<LeasedConnection> preparation) {
        Mono<LeasedConnection> handOut = new HandOut<>(
                pool.acquire().map(LeasedConnection::new),
                settings.acquireTimeout(),
                LeasedConnection::giveBack,
                this::counted,
                preparation,
                listener == ClusterListener.NONE ? HandOut.Waits.UNHEARD : this::waited);
        return settings.leakThreshold().isZero() ? handOut : watched(handOut);
    }

    private PooledConnection pooled(Connection connection) {
        EventLoops.ConnectionLoop loop = connector.loop(connection);
        if (loop == null) {
            throw closed("the connection was closed when it had just been opened");
        }
        return new PooledConnection(connection, loop, settings.maxLifetime());
    }

    /** A connection that does not close in good order is gone all the same, and what it was used for is done. */
    private Mono<Void> close(PooledConnection connection) {
        return Mono.from(connection.physical().close()).onErrorResume(error -> {
            LOG.debug("a connection to {} was not closed in good order", node, error);
            return Mono.empty();
        });
    }

    /** In a pause those who wait get what comes back; where nothing can, they hear that the node refuses. */
    private int logins() {
        Logins logins = connector.logins();
        boolean has = metrics.acquiredSize() + metrics.idleSize() > 0;
        return has && logins.pause() ? GradualGrowth.AT_ONCE : logins.count();
    }

    /** Not only when the queue is full: more can come between the question and its answer. */
    private boolean isCrowded() {
        return metrics.pendingAcquireSize() >= settings.maxPending() - settings.maxPending() / 4;
    }

    /** The pool asks how far it may grow only when somebody comes or something is opened. */
    private void growOn() {
        if (metrics.pendingAcquireSize() > 0 && !isCrowded()) {
            acquire.subscribe(connection -> release(connection).subscribe(), error -> {})
                    .dispose();
        }
    }

    @Override
    public Mono<LeasedConnection> acquire() {
        return acquire;
    }

    @Override
    public Mono<LeasedConnection> lend() {
        return lend;
    }

    @Override
    public <T> Flux<T> execute(
            ShardExecutor.Residue residue, Function<? super Connection, ? extends Publisher<T>> work) {
        return PooledWork.of(this, residue, work);
    }

    /** Begun on the connection's event loop, if that is still open by then. */
    private Mono<Void> onLoop(LeasedConnection leased, Mono<Void> work) {
        return Mono.defer(() -> leased.isOpen() ? work : Mono.error(closed()))
                .subscribeOn(leased.loop().scheduler());
    }

    @Override
    public NodeUnreachableException closed() {
        return closed("the connection was closed when it was about to be used");
    }

    /** Nothing was sent: whoever waited for the connection can ask for another one. */
    private NodeUnreachableException closed(String what) {
        return new NodeUnreachableException(node, new IllegalStateException(what));
    }

    @Override
    public Mono<Void> release(LeasedConnection leased) {
        leased.givenBack();
        if (!leased.physical().isAutoCommit() || leased.change() != SessionChange.NONE) {
            return settleAndRelease(leased);
        }
        leased.over();
        return leased.giveBack();
    }

    @Override
    public Mono<Void> settleAndRelease(LeasedConnection leased) {
        leased.givenBack();
        Scheduler scheduler = leased.loop().scheduler();
        return Mono.defer(() -> leased.lease().end())
                // Behind whatever the event loop does at this moment, which can be the next step of the owner's work.
                .subscribeOn(scheduler)
                // If a thread of the owner was waited for, this would go on with it.
                .publishOn(scheduler)
                .then(Mono.defer(() -> {
                    leased.lease().drain();
                    return settle(leased);
                }))
                .then(Mono.defer(() -> reset(leased)))
                .onErrorResume(error -> abort(
                        leased,
                        leased.isOpen() ? CloseReason.UNSETTLED : CloseReason.BROKEN,
                        "it could not be settled or reset",
                        error))
                .then(Mono.defer(leased::giveBack))
                .onErrorResume(this::notReleased);
    }

    private Mono<Void> notReleased(Throwable error) {
        LOG.warn("a connection to {} could not be released", node, error);
        return Mono.empty();
    }

    @Override
    public Mono<Void> discard(LeasedConnection leased, Throwable cause) {
        leased.givenBack();
        leased.over();
        return abort(leased, CloseReason.SPOILT, "its prepared statements are not valid any more", cause)
                .then(Mono.defer(leased::giveBack))
                .onErrorResume(this::notReleased);
    }

    private Mono<Void> settle(LeasedConnection leased) {
        Connection connection = leased.physical();
        return answered(connection)
                .timeout(GRACE)
                .onErrorResume(unanswered -> leased.isOpen() ? stopped(connection, CANCELS) : Mono.error(unanswered))
                .then(Mono.defer(() -> rollBackIfOpen(connection)))
                .timeout(SETTLE_TIMEOUT);
    }

    /**
     * Asks the server to cancel until it has answered everything: a request that comes before the statement has begun, or
     * while another of a row of statements runs, does not stop it. A request that itself gets no answer is the last: it could
     * still arrive, when the connection has its next owner.
     */
    private static Mono<Void> stopped(Connection connection, int cancels) {
        return cancel(connection)
                .then(Mono.defer(() -> answered(connection).timeout(CANCEL_AGAIN))
                        .onErrorResume(
                                unanswered -> cancels > 1 ? stopped(connection, cancels - 1) : Mono.error(unanswered)));
    }

    /**
     * Completes when the server has answered everything it was sent before, whatever it answered. Fails if it cannot even
     * be asked, as when the driver's queue of statements is full. In a transaction that has failed the question fails too:
     * there the rollback that follows decides.
     */
    private static Mono<Void> answered(Connection connection) {
        return Mono.from(connection.validate(ValidationDepth.REMOTE))
                .flatMap(answered -> answered || !connection.isAutoCommit()
                        ? Mono.empty()
                        : Mono.error(new IllegalStateException("the server did not answer")));
    }

    private static Mono<Void> cancel(Connection connection) {
        return Mono.defer(() -> {
            return connection instanceof PostgresqlConnection driver
                    ? driver.cancelRequest().timeout(CANCEL_TIMEOUT)
                    : Mono.empty();
        });
    }

    /** Cuts a connection that must not be used again. */
    private Mono<Void> abort(
            LeasedConnection connection, CloseReason counted, String reason, @Nullable Throwable cause) {
        return Mono.defer(() -> {
            LOG.debug("a connection to {} is closed: {}", node, reason, cause);
            listener.discarded(node, reason);
            // Rows that nobody has read are not released by the end of their connection.
            connection.lease().drain();
            return connector.abort(connection.physical(), counted);
        });
    }

    /** The next owner gets the session as it was when the connection was opened. */
    private Mono<Void> reset(LeasedConnection leased) {
        return switch (leased.change()) {
            case NONE -> Mono.empty();
            case RESETTABLE ->
                reset(leased.physical(), leased.isolationBefore())
                        .timeout(SETTLE_TIMEOUT)
                        .doOnSuccess(done -> wasReset(leased));
            case LASTING ->
                abort(
                        leased,
                        CloseReason.SPOILT,
                        "its session has prepared statements or libraries of its owner",
                        null);
        };
    }

    private void wasReset(LeasedConnection leased) {
        leased.loop().statementTimeout().wasReset();
    }

    private static Mono<Void> reset(Connection connection, @Nullable IsolationLevel isolation) {
        Mono<Void> reset = Flux.from(
                        connection.createStatement(SessionChange.RESET).execute())
                .flatMap(Result::getRowsUpdated)
                .then();
        return isolation == null
                ? reset
                // The driver remembers it too.
                : reset.then(Mono.defer(() -> Mono.from(connection.setTransactionIsolationLevel(isolation))));
    }

    private static Mono<Void> rollBackIfOpen(Connection connection) {
        return connection.isAutoCommit() ? Mono.empty() : Mono.from(connection.rollbackTransaction());
    }

    /** Says whether an idle connection must be closed; one that the server has closed is never handed out. */
    private boolean isSpent(PooledConnection connection, PooledRefMetadata metadata) {
        if (metadata.idleTime() >= settings.maxIdleTime().toMillis()) {
            connector.closing(connection.physical(), CloseReason.IDLE);
            return true;
        }
        if (metadata.lifeTime() >= connection.lifetimeMillis()) {
            connector.closing(connection.physical(), CloseReason.LIFETIME);
            return true;
        }
        return !connection.isOpen();
    }

    /**
     * The pool opens its smallest number of connections with the first acquire, all but one of them in the background. Where
     * some of those fail, it opens another when somebody has all the rest.
     */
    @Override
    public Mono<Void> warmup() {
        return Mono.usingWhen(
                acquire,
                connection -> opened().then(Mono.defer(() -> isFilled() ? Mono.empty() : warmup())),
                this::release);
    }

    private boolean isFilled() {
        return metrics.idleSize() + metrics.acquiredSize() >= settings.minSize();
    }

    /** Completes when there are enough, or no more are being opened: the next is begun a little after the one before it. */
    private Mono<Void> opened() {
        return Flux.interval(Duration.ZERO, WARMUP_CHECK)
                .onBackpressureDrop()
                .filter(tick -> isFilled() || (tick > 1 && connector.logins().count() == 0))
                .next()
                .timeout(settings.acquireTimeout())
                .onErrorMap(this::translate)
                .then();
    }

    @Override
    public Mono<Void> close() {
        return Mono.defer(() -> {
            connector.shutDown();
            return pool.disposeLater();
        });
    }

    @Override
    public PoolStatistics statistics() {
        return counts.with(
                settings.maxSize(),
                metrics.allocatedSize(),
                metrics.acquiredSize(),
                metrics.idleSize(),
                metrics.pendingAcquireSize());
    }

    @Override
    public int load() {
        return metrics.acquiredSize() + metrics.pendingAcquireSize();
    }

    private void waited(long nanos, @Nullable Throwable error) {
        if (error == null) {
            listener.acquired(node, nanos);
        } else {
            listener.acquireFailed(node, nanos, error);
        }
    }

    /** The stack trace is taken when a caller asks: when its connection comes, another thread may bring it. */
    private Mono<LeasedConnection> watched(Mono<LeasedConnection> source) {
        return Mono.defer(() -> {
            Throwable here = LeakWatch.here(node);
            return source.doOnNext(
                    connection -> connection.watch(new LeakWatch(node, settings.leakThreshold(), listener, here)));
        });
    }

    /** Of callers who ask for a connection. */
    private Throwable counted(Throwable error) {
        if (error instanceof PoolAcquirePendingLimitException) {
            counts.rejected();
        } else if (error instanceof TimeoutException) {
            counts.timedOut();
        }
        return translate(error);
    }

    private Throwable translate(Throwable error) {
        if (error instanceof PoolAcquirePendingLimitException) {
            return new PoolExhaustedException(node, settings.maxSize(), settings.maxPending(), error);
        }
        if (error instanceof TimeoutException && metrics.acquiredSize() + metrics.idleSize() == 0) {
            // Not for want of connections: those that the pool has are still being opened.
            return new NodeUnreachableException(node, error);
        }
        if (error instanceof TimeoutException) {
            return new AcquireTimeoutException(node, settings.acquireTimeout(), statistics(), error);
        }
        if (error instanceof PoolShutdownException) {
            return new ClusterClosedException();
        }
        return error;
    }

    /** The server knows how long the statements of a connection's next owner may take. */
    private class Limiting implements HandOut.Preparation<LeasedConnection> {

        @Override
        public @Nullable Mono<Void> of(LeasedConnection connection, @Nullable Deadline deadline) {
            Mono<Void> limit = connection.loop().statementTimeout().change(connection, deadline);
            return limit == null ? null : onLoop(connection, limit);
        }

        @Override
        public Mono<Void> giveBack(LeasedConnection connection) {
            return settleAndRelease(connection);
        }

        @Override
        public Throwable late(Deadline deadline) {
            return CallTimeoutException.deadline(
                    node.shard(), deadline.limit(), CallTimeoutException.Consequence.NOT_RUN);
        }
    }

    /** The pool gives nobody else a connection while it tells one of his. */
    private final class Lending extends Limiting {

        @Override
        public Mono<Void> of(LeasedConnection connection, @Nullable Deadline deadline) {
            Mono<Void> limit = super.of(connection, deadline);
            return limit == null ? onLoop(connection, Mono.empty()) : limit;
        }
    }
}
