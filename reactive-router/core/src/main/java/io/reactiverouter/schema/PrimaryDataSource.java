package io.reactiverouter.schema;

import io.reactiverouter.topology.Node;
import io.reactiverouter.topology.Secret;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.time.Duration;
import java.util.Properties;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Opens connections to one node, and none while it is a standby. The password is asked for each time. Every connection has its
 * limits from its first statement on.
 */
final class PrimaryDataSource implements DataSource {

    /** SQLSTATE of a write on a server that takes none. */
    private static final String READ_ONLY = "25006";

    private static final String LIMITS =
            "select set_config('lock_timeout', ?, false), set_config('statement_timeout', ?, false),"
                    + " set_config('TimeZone', coalesce(?, current_setting('TimeZone')), false), pg_is_in_recovery()";

    static {
        // Whatever class loader was first to look for drivers.
        try {
            Class.forName("org.postgresql.Driver");
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException("migrations need org.postgresql:postgresql on the class path", e);
        }
    }

    private final Node node;
    private final Properties options;
    private final Duration lockTimeout;
    private final Duration statementTimeout;

    /** Opens connections whose statements have these limits; zero is none. */
    PrimaryDataSource(Node node, Properties options, Duration lockTimeout, Duration statementTimeout) {
        this.node = node;
        this.options = options;
        this.lockTimeout = lockTimeout;
        this.statementTimeout = statementTimeout;
    }

    @Override
    public Connection getConnection() throws SQLException {
        Connection connection = open();
        try {
            if (prepare(connection)) {
                throw new SQLException("node " + node.id() + " is a standby now; nothing was run there", READ_ONLY);
            }
            return connection;
        } catch (SQLException | RuntimeException e) {
            try {
                connection.close();
            } catch (SQLException onClose) {
                e.addSuppressed(onClose);
            }
            throw e;
        }
    }

    private Connection open() throws SQLException {
        Properties properties = new Properties();
        properties.putAll(options);
        String username = node.address().username();
        if (username != null) {
            properties.setProperty("user", username);
        }
        Secret password = node.address().password();
        if (password != null) {
            properties.setProperty("password", password.reveal());
        }
        if (!statementTimeout.isZero()) {
            // The server comes first; this is for one that says nothing any more.
            properties.setProperty("socketTimeout", JdbcOptions.seconds(statementTimeout.plusSeconds(10)));
        }
        return DriverManager.getConnection(JdbcOptions.url(node.address()), properties);
    }

    /** Sets the limits, and says whether the server is a standby. */
    private boolean prepare(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(LIMITS)) {
            statement.setString(1, lockTimeout.toMillis() + "ms");
            statement.setString(2, statementTimeout.toMillis() + "ms");
            statement.setString(3, JdbcOptions.timeZone(node.address()));
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return row.getBoolean(4);
            }
        }
    }

    @Override
    public Connection getConnection(String username, String password) throws SQLException {
        throw new SQLFeatureNotSupportedException("the login is that of the node");
    }

    @Override
    public @Nullable PrintWriter getLogWriter() {
        return null;
    }

    @Override
    public void setLogWriter(@Nullable PrintWriter out) {}

    @Override
    public void setLoginTimeout(int seconds) {}

    @Override
    public int getLoginTimeout() {
        return 0;
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        throw new SQLFeatureNotSupportedException();
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        throw new SQLException("wraps no " + type.getName());
    }

    @Override
    public boolean isWrapperFor(Class<?> type) {
        return false;
    }

    @Override
    public String toString() {
        return "PrimaryDataSource[" + node.id() + "]";
    }
}
