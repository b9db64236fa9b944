package io.reactiverouter.connection;

import io.r2dbc.postgresql.api.ErrorDetails;
import io.r2dbc.postgresql.api.PostgresqlException;
import io.r2dbc.spi.Connection;
import io.reactiverouter.stream.OnError;
import io.reactiverouter.topology.NodeId;
import java.util.Set;
import java.util.function.Function;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;

/** Runs work on connections of the nodes' pools. */
final class PooledExecutor implements ShardExecutor {

    /** No such prepared statement; protocol violation. */
    private static final Set<String> LOST_STATEMENT = Set.of("26000", "08P01");

    private static final String NOT_SUPPORTED = "0A000";

    /** The routine of the server that finds that a cached plan must not change its result type. */
    private static final String CACHED_PLAN = "RevalidateCachedQuery";

    private final NodePools pools;

    PooledExecutor(NodePools pools) {
        this.pools = pools;
    }

    @Override
    public <T> Flux<T> execute(
            NodeId node, Residue residue, Function<? super Connection, ? extends Publisher<T>> work) {
        NodePool pool = pools.pool(node);
        Flux<T> answer = Flux.usingWhen(
                pool.acquire(),
                connection -> pool.<T>onLoop(connection, work),
                residue == Residue.NONE ? pool::release : pool::settleAndRelease,
                (connection, error) ->
                        isSpoilt(error) ? pool.discard(connection, error) : pool.settleAndRelease(connection),
                pool::settleAndRelease);
        return OnError.map(answer, error -> NodeFailure.annotate(node, error));
    }

    /**
     * Says whether the driver and the server do not agree about prepared statements any more, as after a change of a table:
     * the same statement would fail again on this connection.
     */
    private static boolean isSpoilt(Throwable error) {
        if (!(error instanceof PostgresqlException refusal)) {
            return false;
        }
        ErrorDetails details = refusal.getErrorDetails();
        return LOST_STATEMENT.contains(details.getCode())
                || (details.getCode().equals(NOT_SUPPORTED)
                        && details.getRoutine().filter(CACHED_PLAN::equals).isPresent());
    }
}
