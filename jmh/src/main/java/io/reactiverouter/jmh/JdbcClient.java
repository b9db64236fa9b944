package io.reactiverouter.jmh;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.reactiverouter.test.ShardNode;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.function.LongFunction;
import javax.sql.DataSource;

/** JDBC over a HikariCP pool for each shard. */
final class JdbcClient implements BlockingClient {

    private static final String READ = jdbc(Accounts.READ);
    private static final String WRITE = jdbc(Accounts.WRITE);
    private static final String ENTRY = jdbc(Accounts.ENTRY);

    private final LongFunction<DataSource> sources;
    private final Closing closing;

    private interface Closing {

        void close() throws SQLException;
    }

    private JdbcClient(LongFunction<DataSource> sources, Closing closing) {
        this.sources = sources;
        this.closing = closing;
    }

    /** Takes the pool of {@code account mod 2}. */
    static JdbcClient byHand(Accounts accounts) {
        List<HikariDataSource> pools =
                accounts.nodes().stream().map(JdbcClient::pool).toList();
        return new JdbcClient(
                account -> pools.get(Accounts.shard(account)), () -> pools.forEach(HikariDataSource::close));
    }

    /** Leaves it to ShardingSphere-JDBC to take one. */
    static JdbcClient shardingSphere(Accounts accounts) throws SQLException {
        ShardingSphereAccounts sharded = new ShardingSphereAccounts(
                accounts.nodes().stream().map(JdbcClient::pool).toList());
        return new JdbcClient(account -> sharded.dataSource(), sharded::close);
    }

    private static HikariDataSource pool(ShardNode node) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(node.jdbcUrl());
        config.setMaximumPoolSize(Accounts.POOL);
        return new HikariDataSource(config);
    }

    private static String jdbc(String sql) {
        return sql.replaceAll("\\$\\d", "?");
    }

    @Override
    public long read(long account) throws SQLException {
        try (Connection connection = connection(account);
                PreparedStatement statement = connection.prepareStatement(READ)) {
            statement.setLong(1, account);
            try (ResultSet rows = statement.executeQuery()) {
                rows.next();
                return rows.getLong(1);
            }
        }
    }

    @Override
    public long write(long account, long balance) throws SQLException {
        try (Connection connection = connection(account)) {
            return update(connection, WRITE, balance, account);
        }
    }

    @Override
    public long post(long account, long balance) throws SQLException {
        try (Connection connection = connection(account)) {
            connection.setAutoCommit(false);
            try {
                long rows = update(connection, WRITE, balance, account) + update(connection, ENTRY, account, balance);
                connection.commit();
                return rows;
            } catch (SQLException e) {
                connection.rollback();
                throw e;
            }
        }
    }

    private Connection connection(long account) throws SQLException {
        return sources.apply(account).getConnection();
    }

    private static long update(Connection connection, String sql, long first, long second) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setLong(1, first);
            statement.setLong(2, second);
            return statement.executeUpdate();
        }
    }

    @Override
    public void close() throws SQLException {
        closing.close();
    }
}
