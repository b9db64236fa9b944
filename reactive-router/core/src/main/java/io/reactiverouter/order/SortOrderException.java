package io.reactiverouter.order;

/**
 * Rows cannot be put into the order that was asked for: the query has no such column, or PostgreSQL's order of its type or
 * collation cannot be reproduced here, or a value has arrived in a form in which it cannot be compared. The message names
 * the column and what to do. It never holds a value.
 */
public final class SortOrderException extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    /** Says what is wrong with the order and what to do instead. */
    public SortOrderException(String message) {
        super(message);
    }

    /** Says that a value of this kind is not in a form in which it can be compared. */
    static SortOrderException unreadable(KeyKind kind) {
        return new SortOrderException(
                "a value of type " + kind.typeName() + " is not in the form that PostgreSQL gives it" + kind.remedy());
    }
}
