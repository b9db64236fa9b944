package io.reactiverouter.connection;

import java.time.Duration;
import java.util.Objects;

/**
 * How connections are opened and what the server is told about them.
 *
 * @param connectTimeout for opening a connection, login included; 5 s by default
 * @param statementTimeout after which the server itself ends a statement ({@code statement_timeout}); zero, the default,
 *     is no limit. For a result that is read in portions the server counts from the first portion to the last, the time
 *     its reader takes included: where results are streamed to slow readers, leave it at zero and rely on the time limits
 *     of calls. A {@link Deadline} shortens it for the calls inside
 * @param tls how much TLS; {@link TlsMode#PREFER} by default
 * @param applicationName what {@code pg_stat_activity} shows; {@code reactive-router} by default
 */
public record ConnectionSettings(
        Duration connectTimeout, Duration statementTimeout, TlsMode tls, String applicationName) {

    /** The documented defaults. */
    public static final ConnectionSettings DEFAULTS =
            new ConnectionSettings(Duration.ofSeconds(5), Duration.ZERO, TlsMode.PREFER, "reactive-router");

    public ConnectionSettings {
        Limits.positive("connectTimeout", connectTimeout);
        Limits.notNegative("statementTimeout", statementTimeout);
        Objects.requireNonNull(tls, "tls must not be null");
        if (applicationName.isBlank()) {
            throw new IllegalArgumentException("applicationName must not be blank");
        }
    }

    public ConnectionSettings withConnectTimeout(Duration timeout) {
        return new ConnectionSettings(timeout, statementTimeout, tls, applicationName);
    }

    public ConnectionSettings withStatementTimeout(Duration timeout) {
        return new ConnectionSettings(connectTimeout, timeout, tls, applicationName);
    }

    public ConnectionSettings withTls(TlsMode mode) {
        return new ConnectionSettings(connectTimeout, statementTimeout, mode, applicationName);
    }

    public ConnectionSettings withApplicationName(String name) {
        return new ConnectionSettings(connectTimeout, statementTimeout, tls, name);
    }
}
