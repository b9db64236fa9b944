package io.reactiverouter.connection;

import java.time.Duration;

/**
 * How many connections to each node its shared statements have, and how long each of them may take.
 *
 * @param connections that are opened when they are first needed and stay open; 4 by default
 * @param statementTimeout after which the server ends a statement ({@code statement_timeout}), because others wait behind it;
 *     that of {@link ConnectionSettings} if it is shorter; 1 s by default
 */
public record SharedSettings(int connections, Duration statementTimeout) {

    /** The documented defaults. */
    public static final SharedSettings DEFAULTS = new SharedSettings(4, Duration.ofSeconds(1));

    public SharedSettings {
        Limits.atLeast("shared connections", 1, connections);
        Limits.positive("shared statementTimeout", statementTimeout);
    }

    public SharedSettings withConnections(int count) {
        return new SharedSettings(count, statementTimeout);
    }

    public SharedSettings withStatementTimeout(Duration timeout) {
        return new SharedSettings(connections, timeout);
    }

    ConnectionSettings limiting(ConnectionSettings settings) {
        Duration own = settings.statementTimeout();
        return own.isZero() || own.compareTo(statementTimeout) > 0
                ? settings.withStatementTimeout(statementTimeout)
                : settings;
    }
}
