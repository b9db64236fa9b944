package io.reactiverouter.test;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;

/**
 * How to reach one server of {@link Shards}. The server checks passwords. Immutable; {@link #toString()} shows no password.
 */
public final class ShardNode {

    static final String SUPERUSER = "postgres";

    /** Longer than any single statement of the kit takes. */
    private static final String MAINTENANCE_SECONDS = "90";

    private static final String LOGIN_SECONDS = "20";

    private final String name;
    private final String host;
    private final int port;
    private final String database;
    private final Login login;
    private final Login superuser;

    /** A user and its password. */
    record Login(String username, String password) {

        @Override
        public String toString() {
            return username;
        }
    }

    ShardNode(String name, String host, int port, String database, Login login, Login superuser) {
        this.name = name;
        this.host = host;
        this.port = port;
        this.database = database;
        this.login = login;
        this.superuser = superuser;
    }

    /** Returns the same server with another database of it. */
    ShardNode withDatabase(String other) {
        return new ShardNode(name, host, port, other, login, superuser);
    }

    /** Returns the same server as it is reached at another address. */
    ShardNode withAddress(String otherHost, int otherPort) {
        return new ShardNode(name, otherHost, otherPort, database, login, superuser);
    }

    /** Returns another server with the same databases and users, as a standby has them. */
    ShardNode withServer(String otherName, int otherPort) {
        return new ShardNode(otherName, host, otherPort, database, login, superuser);
    }

    Login superuser() {
        return superuser;
    }

    String superuserPassword() {
        return superuser.password();
    }

    /** Returns {@code s0}, {@code s1} and so on; for a replica {@code s0-r1}, {@code s0-r2} and so on. */
    public String name() {
        return name;
    }

    public String host() {
        return host;
    }

    public int port() {
        return port;
    }

    public String database() {
        return database;
    }

    /** Returns the user that owns the database: not a superuser, but with the rights to replicate and to monitor. */
    public String username() {
        return login.username();
    }

    public String password() {
        return login.password();
    }

    /** Returns {@code r2dbc:postgresql://user:password@host:port/database}, percent-encoded. */
    public String r2dbcUrl() {
        return "r2dbc:postgresql://" + encode(username()) + ":" + encode(password()) + "@" + host + ":" + port + "/"
                + encode(database);
    }

    /** Returns {@code jdbc:postgresql://host:port/database?user=...&password=...}, percent-encoded. */
    public String jdbcUrl() {
        return "jdbc:postgresql://" + host + ":" + port + "/" + encode(database) + "?user=" + encode(username())
                + "&password=" + encode(password());
    }

    /** Opens a JDBC connection of the owner; the caller closes it. */
    public Connection openJdbc() throws SQLException {
        return open(login);
    }

    /** Opens a JDBC connection of the server's superuser; the caller closes it. */
    public Connection openSuperuserJdbc() throws SQLException {
        return open(superuser);
    }

    /**
     * Runs a statement as the owner, on a connection of its own.
     *
     * @throws IllegalStateException if it fails, with the statement and the driver's error
     */
    public void execute(String sql) {
        try (Connection connection = openJdbc();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    /**
     * Reads the number in the first column of the first row as the owner, on a connection of its own; null is 0.
     *
     * @throws IllegalStateException if that fails, with the query and the driver's error
     */
    public long number(String sql) {
        try (Connection connection = openJdbc();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            result.next();
            return result.getLong(1);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    /** Opens a connection for the kit's own work: it waits neither for a server that hangs nor for a standby. */
    Connection openMaintenance() throws SQLException {
        return open(superuser, limited());
    }

    /** The same as the owner. */
    Connection openOwnMaintenance() throws SQLException {
        return open(login, limited());
    }

    private static Properties limited() {
        Properties properties = new Properties();
        properties.setProperty("socketTimeout", MAINTENANCE_SECONDS);
        properties.setProperty("loginTimeout", LOGIN_SECONDS);
        properties.setProperty("options", "-c synchronous_commit=local");
        return properties;
    }

    private Connection open(Login as) throws SQLException {
        return open(as, new Properties());
    }

    private Connection open(Login as, Properties properties) throws SQLException {
        properties.setProperty("user", as.username());
        properties.setProperty("password", as.password());
        return DriverManager.getConnection(
                "jdbc:postgresql://" + host + ":" + port + "/" + encode(database), properties);
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    @Override
    public String toString() {
        return "ShardNode[" + name + ", " + username() + "@" + host + ":" + port + "/" + database + "]";
    }
}
