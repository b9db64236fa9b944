package io.reactiverouter.connection;

import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.topology.NodeId;
import java.util.Optional;

/**
 * Where an error happened. The driver's own exceptions pass through unchanged, so that their type, SQLSTATE and Spring's
 * translation stay; this note is attached to them as suppressed and shows in every stack trace. {@link #of} finds it.
 */
public final class NodeFailure extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final NodeId node;

    private NodeFailure(NodeId node) {
        super("on shard " + node.shard() + ", node " + node.endpoint(), null, false, false);
        this.node = node;
    }

    /** Returns the note on this error or one of its causes, if it came from a node. */
    public static Optional<NodeFailure> of(Throwable error) {
        Throwable current = error;
        for (int depth = 0; current != null && depth < 16; depth++) {
            for (Throwable suppressed : current.getSuppressed()) {
                if (suppressed instanceof NodeFailure failure) {
                    return Optional.of(failure);
                }
            }
            current = current.getCause();
        }
        return Optional.empty();
    }

    /** Attaches a note to an error of the database; an error of the caller's own code stays as it is. */
    static Throwable annotate(NodeId node, Throwable error) {
        if (error instanceof R2dbcException && of(error).isEmpty()) {
            error.addSuppressed(new NodeFailure(node));
        }
        return error;
    }

    public NodeId node() {
        return node;
    }
}
