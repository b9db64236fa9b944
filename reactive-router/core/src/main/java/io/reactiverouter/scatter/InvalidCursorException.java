package io.reactiverouter.scatter;

/** A page cursor is not one that can be gone on from. */
public final class InvalidCursorException extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    InvalidCursorException(String reason) {
        super("the page cursor " + reason + "; begin again with the first page");
    }
}
