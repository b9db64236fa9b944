package io.reactiverouter.demo;

import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.connection.AcquireTimeoutException;
import io.reactiverouter.connection.CallTimeoutException;
import io.reactiverouter.connection.NodeFailure;
import io.reactiverouter.connection.NodeUnreachableException;
import io.reactiverouter.connection.PoolExhaustedException;
import io.reactiverouter.topology.ShardId;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;

/**
 * Failed calls to a database as problem details: 503 with the shard if it may work later, 500 if not. What happened goes to
 * the log and not to the client, since messages of databases show SQL, values and addresses.
 */
public final class DatabaseProblem {

    private static final Logger LOG = LoggerFactory.getLogger(DatabaseProblem.class);

    /** Beginnings of SQLSTATEs: the connection is lost, the server has no resources, or somebody stops it. */
    private static final List<String> LATER = List.of("08", "53", "57P");

    private DatabaseProblem() {}

    /** Logs the error and returns what a client may know of it. */
    public static ProblemDetail of(Throwable error) {
        LOG.warn("a call to the database failed", error);
        boolean busy = mayWorkLater(error);
        ProblemDetail problem =
                ProblemDetail.forStatus(busy ? HttpStatus.SERVICE_UNAVAILABLE : HttpStatus.INTERNAL_SERVER_ERROR);
        problem.setTitle(busy ? "Shard unavailable" : "Database error");
        problem.setDetail(busy ? "try again later" : "the error has been logged");
        shard(error).ifPresent(shard -> problem.setProperty("shard", shard.value()));
        return problem;
    }

    private static Optional<ShardId> shard(Throwable error) {
        return error instanceof CallTimeoutException timeout
                ? Optional.of(timeout.shard())
                : NodeFailure.of(error).map(failure -> failure.node().shard());
    }

    private static boolean mayWorkLater(Throwable error) {
        if (error instanceof NodeUnreachableException
                || error instanceof PoolExhaustedException
                || error instanceof AcquireTimeoutException
                || error instanceof CallTimeoutException) {
            return true;
        }
        String state = error instanceof R2dbcException known ? String.valueOf(known.getSqlState()) : "";
        return LATER.stream().anyMatch(state::startsWith);
    }
}
