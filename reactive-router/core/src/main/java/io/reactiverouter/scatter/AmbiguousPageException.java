package io.reactiverouter.scatter;

import io.reactiverouter.order.SortKey;
import java.util.List;

/** Two rows at the end of a page are equal in the order, so that no cursor could say which of them has been read. */
public final class AmbiguousPageException extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    AmbiguousPageException(List<SortKey> order) {
        super("the order " + order
                + " does not tell two rows apart at the end of a page;"
                + " add a unique column, such as the primary key, as its last key");
    }
}
