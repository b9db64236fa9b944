package io.reactiverouter.routing;

/** A placement was to be replaced that is not the current one any more: read the current one, and decide anew. */
public final class StalePlacementException extends IllegalStateException {

    private static final long serialVersionUID = 1L;

    StalePlacementException(String keyspace, long expected, long current) {
        super("the placement of keyspace " + keyspace + " with epoch " + expected
                + " is not the current one, which has epoch " + current
                + "; read it again and derive the change from it");
    }
}
