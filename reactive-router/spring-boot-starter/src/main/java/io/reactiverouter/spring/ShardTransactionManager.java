package io.reactiverouter.spring;

import io.r2dbc.postgresql.api.PostgresqlConnection;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.ValidationDepth;
import io.r2dbc.spi.Wrapped;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.connection.ConnectionHolder;
import org.springframework.r2dbc.connection.R2dbcTransactionManager;
import org.springframework.transaction.IllegalTransactionStateException;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.reactive.GenericReactiveTransaction;
import org.springframework.transaction.reactive.TransactionSynchronizationManager;
import reactor.core.publisher.Mono;

/** Spring's transactions on the connections of one shard. */
@SuppressWarnings("serial") // Only its base class asks for it; no one writes it out.
final class ShardTransactionManager extends R2dbcTransactionManager {

    /** Most cancelled statements end by themselves within this time; only others cost a cancel request. */
    private static final Duration GRACE = Duration.ofMillis(50);

    /** On a busy machine the connection of a cancel request alone can take longer than a second. */
    private static final Duration CANCEL_TIMEOUT = Duration.ofSeconds(3);

    private final ShardTransactionScope scope;

    ShardTransactionManager(ShardTransactionScope scope, ConnectionFactory factory) {
        super(factory);
        this.scope = scope;
    }

    ShardTransactionScope scope() {
        return scope;
    }

    @Override
    protected Mono<Void> doBegin(
            TransactionSynchronizationManager synchronization, Object transaction, TransactionDefinition definition) {
        return Mono.deferContextual(context -> {
            if (!scope.isEntered(context) && scope.isInsideAny(context)) {
                return refuse();
            }
            // A new transaction inside one of the same shard, as with REQUIRES_NEW, takes a connection of its own.
            return super.doBegin(synchronization, transaction, definition).contextWrite(scope::left);
        });
    }

    /** Fails with the cluster's own error if the transaction around is on another shard. */
    private Mono<Void> refuse() {
        return Mono.usingWhen(
                obtainConnectionFactory().create(),
                connection ->
                        Mono.error(new IllegalTransactionStateException("a transaction of inTransaction(...) is active"
                                + " on shard " + scope.shard()
                                + " and ends with that call; use clients inside it, which join it,"
                                + " or begin with transactional(key) instead")),
                Connection::close);
    }

    @Override
    protected Mono<Void> doRollback(
            TransactionSynchronizationManager synchronization, GenericReactiveTransaction status) {
        ConnectionHolder holder = (ConnectionHolder) synchronization.getResource(obtainConnectionFactory());
        Mono<Void> rollback = Mono.defer(() -> super.doRollback(synchronization, status));
        return holder == null
                ? rollback
                : stopStatement(holder.getConnection()).onErrorComplete().then(rollback);
    }

    /** Without it a rollback after a cancel would wait for the end of the statement, however long that takes. */
    private static Mono<Void> stopStatement(Connection connection) {
        return Mono.from(connection.validate(ValidationDepth.REMOTE))
                .then()
                .timeout(GRACE)
                .onErrorResume(TimeoutException.class, slow -> cancelRequest(connection));
    }

    private static Mono<Void> cancelRequest(Connection connection) {
        PostgresqlConnection driver = driver(connection);
        return driver == null ? Mono.empty() : driver.cancelRequest().timeout(CANCEL_TIMEOUT);
    }

    private static @Nullable PostgresqlConnection driver(Connection connection) {
        return connection instanceof Wrapped<?> wrapped ? wrapped.unwrap(PostgresqlConnection.class) : null;
    }
}
