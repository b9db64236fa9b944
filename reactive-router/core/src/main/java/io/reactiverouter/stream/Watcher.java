package io.reactiverouter.stream;

import org.jspecify.annotations.Nullable;
import reactor.util.context.Context;

/** Sees one subscription begin, deliver and end. What its methods throw is logged and changes nothing. */
public interface Watcher {

    /** How a subscription ended. */
    enum End {
        COMPLETE,
        ERROR,
        CANCEL
    }

    /** Returns the context that the source gets in place of its subscriber's. */
    default Context context(Context ofSubscriber) {
        return ofSubscriber;
    }

    /** The first element is about to be delivered. */
    default void first() {}

    /**
     * The subscription has ended; called once, with whatever came first, before the subscriber hears of it.
     *
     * @param answered whether anything has been delivered
     * @param error null unless it ended with one
     */
    void ended(End end, boolean answered, @Nullable Throwable error);
}
