package io.reactiverouter.jmh;

import java.sql.SQLException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.apache.shardingsphere.driver.api.ShardingSphereDataSourceFactory;
import org.apache.shardingsphere.driver.jdbc.core.datasource.ShardingSphereDataSource;
import org.apache.shardingsphere.infra.algorithm.core.config.AlgorithmConfiguration;
import org.apache.shardingsphere.sharding.api.config.ShardingRuleConfiguration;
import org.apache.shardingsphere.sharding.api.config.rule.ShardingTableRuleConfiguration;
import org.apache.shardingsphere.sharding.api.config.strategy.sharding.StandardShardingStrategyConfiguration;
import org.apache.shardingsphere.sharding.api.sharding.standard.PreciseShardingValue;
import org.apache.shardingsphere.sharding.api.sharding.standard.RangeShardingValue;
import org.apache.shardingsphere.sharding.api.sharding.standard.StandardShardingAlgorithm;

/**
 * ShardingSphere-JDBC over the tables of {@link Accounts}, by a class rather than an inline expression, which spares it Groovy
 * for each statement. All else is as it is by default.
 */
final class ShardingSphereAccounts {

    private static final String ALGORITHM = "modulo";

    private final DataSource dataSource;

    /** Takes one pool for each shard, and closes them. */
    ShardingSphereAccounts(List<? extends DataSource> pools) throws SQLException {
        Map<String, DataSource> byName = new LinkedHashMap<>();
        for (int i = 0; i < pools.size(); i++) {
            byName.put("s" + i, pools.get(i));
        }
        ShardingRuleConfiguration rule = new ShardingRuleConfiguration();
        Stream.of("accounts", "entries").forEach(table -> rule.getTables().add(table(table, byName.keySet())));
        rule.setDefaultDatabaseShardingStrategy(new StandardShardingStrategyConfiguration("account_id", ALGORITHM));
        Properties properties = new Properties();
        properties.setProperty("strategy", "STANDARD");
        properties.setProperty("algorithmClassName", Modulo.class.getName());
        rule.getShardingAlgorithms().put(ALGORITHM, new AlgorithmConfiguration("CLASS_BASED", properties));
        dataSource = ShardingSphereDataSourceFactory.createDataSource(byName, List.of(rule), new Properties());
    }

    private static ShardingTableRuleConfiguration table(String table, Collection<String> shards) {
        return new ShardingTableRuleConfiguration(
                table,
                shards.stream().map(shard -> shard + "." + table).collect(Collectors.joining(",", "<LITERAL>", "")));
    }

    DataSource dataSource() {
        return dataSource;
    }

    void close() throws SQLException {
        dataSource.unwrap(ShardingSphereDataSource.class).close();
    }

    /** Finds the shard of an account. */
    public static final class Modulo implements StandardShardingAlgorithm<Long> {

        @Override
        public String doSharding(Collection<String> shards, PreciseShardingValue<Long> account) {
            return "s" + Accounts.shard(account.getValue());
        }

        @Override
        public Collection<String> doSharding(Collection<String> shards, RangeShardingValue<Long> accounts) {
            return shards;
        }
    }
}
