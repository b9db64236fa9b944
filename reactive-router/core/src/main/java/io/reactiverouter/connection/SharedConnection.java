package io.reactiverouter.connection;

import io.r2dbc.spi.Batch;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionMetadata;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.Statement;
import io.r2dbc.spi.TransactionDefinition;
import io.r2dbc.spi.ValidationDepth;
import java.time.Duration;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;

/**
 * A connection on which others have statements too: it runs single statements that leave nothing behind, and nothing that has
 * to do with transactions or the session.
 */
final class SharedConnection implements Connection {

    private final Connection physical;

    SharedConnection(Connection physical) {
        this.physical = physical;
    }

    /** Returns the connection of the driver. */
    Connection physical() {
        return physical;
    }

    @Override
    public Statement createStatement(String sql) {
        if (!SessionChange.isShareable(sql)) {
            throw new IllegalArgumentException(
                    "not for a shared connection, which takes a single select, insert, update,"
                            + " delete, merge, values or table that leaves nothing behind on its session: " + sql
                            + "; run it without shared()");
        }
        return physical.createStatement(sql);
    }

    @Override
    public Publisher<Void> close() {
        return Mono.empty();
    }

    @Override
    public boolean isAutoCommit() {
        return true;
    }

    @Override
    public ConnectionMetadata getMetadata() {
        return physical.getMetadata();
    }

    @Override
    public IsolationLevel getTransactionIsolationLevel() {
        return physical.getTransactionIsolationLevel();
    }

    @Override
    public Batch createBatch() {
        throw unsupported();
    }

    @Override
    public Publisher<Void> beginTransaction() {
        throw unsupported();
    }

    @Override
    public Publisher<Void> beginTransaction(TransactionDefinition definition) {
        throw unsupported();
    }

    @Override
    public Publisher<Void> commitTransaction() {
        throw unsupported();
    }

    @Override
    public Publisher<Void> rollbackTransaction() {
        throw unsupported();
    }

    @Override
    public Publisher<Void> createSavepoint(String name) {
        throw unsupported();
    }

    @Override
    public Publisher<Void> releaseSavepoint(String name) {
        throw unsupported();
    }

    @Override
    public Publisher<Void> rollbackTransactionToSavepoint(String name) {
        throw unsupported();
    }

    @Override
    public Publisher<Void> setAutoCommit(boolean autoCommit) {
        throw unsupported();
    }

    @Override
    public Publisher<Void> setLockWaitTimeout(Duration timeout) {
        throw unsupported();
    }

    @Override
    public Publisher<Void> setStatementTimeout(Duration timeout) {
        throw unsupported();
    }

    @Override
    public Publisher<Void> setTransactionIsolationLevel(IsolationLevel level) {
        throw unsupported();
    }

    @Override
    public Publisher<Boolean> validate(ValidationDepth depth) {
        throw unsupported();
    }

    private static UnsupportedOperationException unsupported() {
        return new UnsupportedOperationException("others use the connection at the same time");
    }

    @Override
    public String toString() {
        return "SharedConnection[" + physical + "]";
    }
}
