package io.reactiverouter.jmh;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.apache.shardingsphere.driver.api.ShardingSphereDataSourceFactory;
import org.apache.shardingsphere.driver.jdbc.core.datasource.ShardingSphereDataSource;
import org.apache.shardingsphere.sharding.api.config.ShardingRuleConfiguration;
import org.apache.shardingsphere.sharding.api.config.rule.ShardingTableRuleConfiguration;

/**
 * Reads through ShardingSphere-JDBC on HikariCP pools, set up so that it merges streams and holds no more rows than it must:
 *
 * <ul>
 *   <li>{@code max-connections-size-per-query} is the number of tables in one database. Were it less, ShardingSphere would load
 *       the results of the tables before it merges them.
 *   <li>The scan has a fetch size, no auto-commit, and cursors that close at commit. PostgreSQL's driver loads all rows of a
 *       shard unless it is given all three, and ShardingSphere by itself asks for cursors that outlive the commit.
 *   <li>The latest orders, the count and the totals are few rows, which the driver may load: they need none of that.
 *   <li>Groups come in the order of what they are grouped by, which ShardingSphere needs to merge them as they come.
 *   <li>Statements are prepared. The tables are listed as a literal, which spares ShardingSphere Groovy.
 * </ul>
 *
 * All else is as it is by default.
 */
final class ShardingSphereReader implements OrderReader {

    private static final String ORDERS = "select id, customer, amount from orders order by id";
    private static final String LATEST_ORDERS =
            "select id, customer, amount from orders order by id desc limit " + LATEST;
    private static final String COUNT = "select count(*) as orders from orders";
    private static final String TOTALS =
            "select customer, count(*) as orders, sum(amount) as total, avg(amount) as mean"
                    + " from orders group by customer order by customer";

    private final Map<String, DataSource> pools = new LinkedHashMap<>();
    private final DataSource orders;

    /** Connects to the shards at these JDBC URLs. */
    ShardingSphereReader(List<String> urls) throws SQLException {
        for (int i = 0; i < urls.size(); i++) {
            HikariConfig pool = new HikariConfig();
            pool.setJdbcUrl(urls.get(i));
            pools.put("s" + i, new HikariDataSource(pool));
        }
        Properties properties = new Properties();
        properties.setProperty("max-connections-size-per-query", "1");
        orders = ShardingSphereDataSourceFactory.createDataSource(pools, List.of(rule()), properties);
    }

    /** One table in each shard. Without an algorithm, which would not be asked: neither query names a key. */
    private ShardingRuleConfiguration rule() {
        String tables = pools.keySet().stream().map(name -> name + ".orders").collect(Collectors.joining(","));
        ShardingRuleConfiguration rule = new ShardingRuleConfiguration();
        rule.getTables().add(new ShardingTableRuleConfiguration("orders", "<LITERAL>" + tables));
        return rule;
    }

    @Override
    public Answer scan() throws SQLException {
        try (Connection connection = orders.getConnection()) {
            connection.setAutoCommit(false);
            try (PreparedStatement statement = connection.prepareStatement(
                    ORDERS,
                    ResultSet.TYPE_FORWARD_ONLY,
                    ResultSet.CONCUR_READ_ONLY,
                    ResultSet.CLOSE_CURSORS_AT_COMMIT)) {
                statement.setFetchSize(FETCH_SIZE);
                Answer answer = Answer.NONE;
                try (ResultSet rows = statement.executeQuery()) {
                    while (rows.next()) {
                        answer = answer.and(order(rows));
                    }
                }
                connection.commit();
                return answer;
            }
        }
    }

    @Override
    public Answer latest() throws SQLException {
        return all(LATEST_ORDERS, ShardingSphereReader::order);
    }

    @Override
    public Answer count() throws SQLException {
        return all(COUNT, row -> new Count(row.getLong(1)));
    }

    @Override
    public Answer totals() throws SQLException {
        return all(TOTALS, row -> new Total(row.getInt(1), row.getLong(2), row.getBigDecimal(3), row.getBigDecimal(4)));
    }

    private Answer all(String sql, Mapper mapper) throws SQLException {
        try (Connection connection = orders.getConnection();
                PreparedStatement statement = connection.prepareStatement(sql);
                ResultSet rows = statement.executeQuery()) {
            Answer answer = Answer.NONE;
            while (rows.next()) {
                answer = answer.and(mapper.map(rows));
            }
            return answer;
        }
    }

    private static Order order(ResultSet row) throws SQLException {
        return new Order(row.getLong(1), row.getInt(2), row.getBigDecimal(3));
    }

    @FunctionalInterface
    private interface Mapper {

        Record map(ResultSet row) throws SQLException;
    }

    @Override
    public void close() throws SQLException {
        orders.unwrap(ShardingSphereDataSource.class).close();
    }
}
