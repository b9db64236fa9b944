package io.reactiverouter.schema;

import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** What an error of Flyway or of the driver says, in one line. */
final class Failures {

    private Failures() {}

    /** Returns the server's own words if there are any, otherwise those of the error. */
    static String words(Throwable error) {
        SQLException said = of(error);
        if (said == null) {
            return line(error);
        }
        String state = said.getSQLState();
        return line(said) + (state == null ? "" : " (SQLSTATE " + state + ")");
    }

    /** Returns the innermost error of the driver. */
    private static @Nullable SQLException of(Throwable error) {
        SQLException found = null;
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException sql) {
                found = sql;
            }
        }
        return found;
    }

    /** Returns the message without its line breaks. */
    private static String line(Throwable error) {
        String message = error.getMessage();
        return message == null ? error.getClass().getSimpleName() : line(message);
    }

    static String line(String text) {
        return text.strip().replaceAll("\\s*\\R\\s*", " ");
    }
}
