package io.reactiverouter.connection;

import io.r2dbc.spi.Batch;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionMetadata;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.Statement;
import io.r2dbc.spi.TransactionDefinition;
import io.r2dbc.spi.ValidationDepth;
import io.r2dbc.spi.Wrapped;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;
import reactor.pool.PooledRef;

/**
 * A pooled connection for as long as its {@link Lease}: afterwards it sends nothing any more, and neither do its statements
 * and results. {@link #close()} does nothing, since whoever took the connection from the pool gives it back. What is
 * unwrapped is the pool's, and the lease does not guard it.
 */
final class LeasedConnection implements Connection, Wrapped<Connection> {

    /** Of all whose time has ended before something had to be guarded. */
    private static final Lease NEVER_USED = new Lease();

    static {
        NEVER_USED.over();
    }

    private final PooledRef<PooledConnection> place;
    private final PooledConnection pooled;
    private final Connection physical;
    private final AtomicReference<@Nullable Lease> lease = new AtomicReference<>();
    private volatile SessionChange change = SessionChange.NONE;
    private final IsolationLevel isolation;
    private volatile boolean isolationChanged;
    private @Nullable LeakWatch watch;

    LeasedConnection(PooledRef<PooledConnection> place) {
        this.place = place;
        this.pooled = place.poolable();
        this.physical = pooled.physical();
        // That of the session: in a transaction the driver gives the transaction's.
        this.isolation = physical.getTransactionIsolationLevel();
    }

    /** Returns the connection of the driver. */
    Connection physical() {
        return physical;
    }

    /** Returns the event loop on which it lives. */
    EventLoops.ConnectionLoop loop() {
        return pooled.loop();
    }

    /** Says whether neither side has closed it, as far as the driver knows. */
    boolean isOpen() {
        return pooled.isOpen();
    }

    /** Gives it back to the pool, which closes it instead if it is not open any more; nothing if that has been done before. */
    Mono<Void> giveBack() {
        return place.release();
    }

    /** Made when something has to be guarded: what the router does alone needs none. */
    Lease lease() {
        Lease made = lease.get();
        if (made != null) {
            return made;
        }
        Lease mine = new Lease();
        Lease others = lease.compareAndExchange(null, mine);
        return others == null ? mine : others;
    }

    /** Ends the time of the owner, who can have nothing more to send. */
    void over() {
        if (!lease.compareAndSet(null, NEVER_USED)) {
            lease().over();
        }
    }

    /** The next owner's transaction is none of this one's business. Needs no lease if there is none yet. */
    private void requireNotOver() {
        Lease made = lease.get();
        if (made != null) {
            made.check();
        }
    }

    /** Has it watched until it is given back; called before its owner has it. */
    void watch(LeakWatch leak) {
        watch = leak;
    }

    /** Its owner has given it back. */
    void givenBack() {
        if (watch != null) {
            watch.end();
        }
    }

    /** Returns what the owner can have left behind on the session. */
    SessionChange change() {
        return change;
    }

    /** Returns the isolation level of the session before the owner has set another one, null if it has not. */
    @Nullable IsolationLevel isolationBefore() {
        return isolationChanged ? isolation : null;
    }

    private void note(SessionChange by) {
        if (by.compareTo(change) > 0) {
            change = by;
        }
    }

    private void note(String sql) {
        note(SessionChange.of(sql));
    }

    @Override
    public Mono<Void> close() {
        return Mono.empty();
    }

    @Override
    public Publisher<Void> beginTransaction() {
        lease().check();
        return lease().within(physical.beginTransaction());
    }

    @Override
    public Publisher<Void> beginTransaction(TransactionDefinition definition) {
        lease().check();
        return lease().within(physical.beginTransaction(definition));
    }

    @Override
    public Publisher<Void> commitTransaction() {
        lease().check();
        return lease().ending(physical.commitTransaction());
    }

    @Override
    public Batch createBatch() {
        return new LeasedBatch(physical.createBatch(), lease(), this::note);
    }

    @Override
    public Publisher<Void> createSavepoint(String name) {
        lease().check();
        return lease().within(physical.createSavepoint(name));
    }

    @Override
    public Statement createStatement(String sql) {
        // Not of the pool's, which throws when it is back: work that has just been cancelled makes statements that it
        // never runs.
        note(sql);
        return new LeasedStatement(physical.createStatement(sql), lease());
    }

    /** Returns a statement that is all that the connection is used for. */
    Statement soleStatement(String sql) {
        note(sql);
        return physical.createStatement(sql);
    }

    /** Returns a statement of the lender, who knows what it leaves behind on the session. */
    Statement ownStatement(String sql) {
        return new LeasedStatement(physical.createStatement(sql), lease());
    }

    @Override
    public boolean isAutoCommit() {
        requireNotOver();
        return physical.isAutoCommit();
    }

    @Override
    public ConnectionMetadata getMetadata() {
        return physical.getMetadata();
    }

    @Override
    public IsolationLevel getTransactionIsolationLevel() {
        requireNotOver();
        return physical.getTransactionIsolationLevel();
    }

    @Override
    public Publisher<Void> releaseSavepoint(String name) {
        lease().check();
        return lease().within(physical.releaseSavepoint(name));
    }

    @Override
    public Publisher<Void> rollbackTransaction() {
        lease().check();
        return lease().ending(physical.rollbackTransaction());
    }

    @Override
    public Publisher<Void> rollbackTransactionToSavepoint(String name) {
        lease().check();
        return lease().within(physical.rollbackTransactionToSavepoint(name));
    }

    @Override
    public Publisher<Void> setAutoCommit(boolean autoCommit) {
        lease().check();
        return lease().ending(physical.setAutoCommit(autoCommit));
    }

    @Override
    public Publisher<Void> setLockWaitTimeout(Duration timeout) {
        lease().check();
        note(SessionChange.RESETTABLE);
        return lease().within(physical.setLockWaitTimeout(timeout));
    }

    @Override
    public Publisher<Void> setStatementTimeout(Duration timeout) {
        lease().check();
        note(SessionChange.RESETTABLE);
        return lease().within(physical.setStatementTimeout(timeout));
    }

    @Override
    public Publisher<Void> setTransactionIsolationLevel(IsolationLevel level) {
        lease().check();
        isolationChanged = true;
        note(SessionChange.RESETTABLE);
        return lease().within(physical.setTransactionIsolationLevel(level));
    }

    @Override
    public Publisher<Boolean> validate(ValidationDepth depth) {
        lease().check();
        return lease().within(physical.validate(depth));
    }

    /** What is done with it is not seen here. */
    @Override
    public Connection unwrap() {
        note(SessionChange.RESETTABLE);
        return physical;
    }

    @Override
    public String toString() {
        return "LeasedConnection[" + physical + "]";
    }
}
