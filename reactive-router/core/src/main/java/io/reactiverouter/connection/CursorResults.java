package io.reactiverouter.connection;

import io.r2dbc.spi.Result;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Mono;

/**
 * Who reads the results of a cursor without parameters. There is one result, and somebody reads it portion by portion, perhaps
 * after leaving with it as {@link Mono#from} does: then it can still be read to its end, until something else is sent. What was
 * sent before the result came waits until it is read.
 */
final class CursorResults extends ResultReader<Result> {

    private static final long serialVersionUID = 1L;

    /** The one result. */
    private transient volatile Unread.@Nullable Keyed handedOut;

    /** Whether the subscriber is just getting it. */
    private transient volatile boolean handingOver;

    CursorResults(CoreSubscriber<? super Result> actual, Unread unread) {
        super(actual, unread, Rest.CANCELLED, null);
    }

    /** Says whether a result is the one of the cursor: the driver makes a second, empty one when it closes that. */
    boolean isFirst(Result result) {
        if (handedOut == null) {
            return true;
        }
        Mono.from(result.getRowsUpdated()).subscribe(null, unread::failed);
        return false;
    }

    @Override
    void abandon(Subscription subscription) {
        Unread.Keyed result = handedOut;
        if (result == null || isUnwanted()) {
            super.abandon(subscription);
            return;
        }
        if (!handingOver) {
            unread.leftWith(result, unread.sends());
        }
        subscription.request(Long.MAX_VALUE);
    }

    @Override
    void pass(Object element) {
        int before = unread.sends();
        Unread.Keyed result = ((SentResult) element).answer();
        handedOut = result;
        handingOver = true;
        try {
            super.pass(element);
        } finally {
            handingOver = false;
            // Whoever leaves with a result often begins to read it a moment later.
            if (hasLeft()) {
                unread.leftWith(result, before);
            }
        }
    }
}
