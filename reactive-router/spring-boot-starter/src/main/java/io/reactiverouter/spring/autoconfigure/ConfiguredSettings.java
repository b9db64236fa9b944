package io.reactiverouter.spring.autoconfigure;

import io.reactiverouter.ShardCluster;
import io.reactiverouter.connection.ConnectionSettings;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.failover.FailoverSettings;
import io.reactiverouter.failover.ReadSettings;
import io.reactiverouter.failover.RetrySettings;
import io.reactiverouter.health.HealthSettings;
import io.reactiverouter.schema.SchemaSettings;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Turns properties into the settings of the cluster, one by one, so that an error names its property. */
final class ConfiguredSettings {

    private static final String POOL = ReactiveRouterProperties.PREFIX + ".pool.";
    private static final String CONNECTION = ReactiveRouterProperties.PREFIX + ".connection.";

    private static final String HEALTH = ReactiveRouterProperties.PREFIX + ".health.";
    private static final String FAILOVER = ReactiveRouterProperties.PREFIX + ".failover.";
    private static final String RETRY = ReactiveRouterProperties.PREFIX + ".retry.";
    private static final String SCHEMA = ReactiveRouterProperties.PREFIX + ".schema.";
    private static final String READS = ReactiveRouterProperties.PREFIX + ".reads.";

    private ConfiguredSettings() {}

    static PoolSettings pool(ReactiveRouterProperties.Pool pool) {
        ReactiveRouterProperties.ShardPool all = new ReactiveRouterProperties.ShardPool(
                pool.minSize(),
                pool.maxSize(),
                pool.maxPending(),
                pool.acquireTimeout(),
                pool.maxIdleTime(),
                pool.maxLifetime(),
                pool.leakThreshold());
        return pool(POOL, PoolSettings.DEFAULTS, all);
    }

    /** Returns {@code base} with what is set at this place. */
    static PoolSettings pool(String at, PoolSettings base, ReactiveRouterProperties.ShardPool pool) {
        // The largest size first: the smallest is checked against it, unless there will be another.
        PoolSettings settings = pool.minSize() == null ? base : base.withMinSize(0);
        settings = apply(at + "max-size", settings, pool.maxSize(), PoolSettings::withMaxSize);
        settings = apply(at + "min-size", settings, pool.minSize(), PoolSettings::withMinSize);
        settings = apply(at + "max-pending", settings, pool.maxPending(), PoolSettings::withMaxPending);
        settings = apply(at + "acquire-timeout", settings, pool.acquireTimeout(), PoolSettings::withAcquireTimeout);
        settings = apply(at + "max-idle-time", settings, pool.maxIdleTime(), PoolSettings::withMaxIdleTime);
        settings = apply(at + "max-lifetime", settings, pool.maxLifetime(), PoolSettings::withMaxLifetime);
        return apply(at + "leak-threshold", settings, pool.leakThreshold(), PoolSettings::withLeakThreshold);
    }

    static ConnectionSettings connection(ReactiveRouterProperties.Connection connection) {
        ReactiveRouterProperties.ShardConnection all = new ReactiveRouterProperties.ShardConnection(
                connection.connectTimeout(),
                connection.statementTimeout(),
                connection.tls(),
                connection.applicationName());
        return connection(CONNECTION, ConnectionSettings.DEFAULTS, all);
    }

    /** Returns {@code base} with what is set at this place. */
    static ConnectionSettings connection(
            String at, ConnectionSettings base, ReactiveRouterProperties.ShardConnection connection) {
        ConnectionSettings settings = apply(at + "tls", base, connection.tls(), ConnectionSettings::withTls);
        settings = apply(
                at + "connect-timeout", settings, connection.connectTimeout(), ConnectionSettings::withConnectTimeout);
        settings = apply(
                at + "statement-timeout",
                settings,
                connection.statementTimeout(),
                ConnectionSettings::withStatementTimeout);
        return apply(
                at + "application-name",
                settings,
                connection.applicationName(),
                ConnectionSettings::withApplicationName);
    }

    /**
     * Sets pools and connections of the cluster, and those of the shards that have their own.
     *
     * @param shards which there are; they need not come from the properties
     */
    static void nodes(ShardCluster.Builder builder, ReactiveRouterProperties properties, List<Shard> shards) {
        PoolSettings pool = pool(properties.pool());
        ConnectionSettings connection = connection(properties.connection());
        builder.pool(pool).connection(connection);
        SingleShard single = SingleShard.of(properties.singleShard());
        properties.shards().forEach((name, configured) -> {
            if (single.leavesOut(name)) {
                return;
            }
            String at = PropertiesShardsConnectionDetails.SHARDS + "." + name;
            ReactiveRouterProperties.ShardPool ownPool = configured.pool();
            if (ownPool != null) {
                builder.pool(known(at + ".pool", name, shards), pool(at + ".pool.", pool, ownPool));
            }
            ReactiveRouterProperties.ShardConnection ownConnection = configured.connection();
            if (ownConnection != null) {
                builder.connection(
                        known(at + ".connection", name, shards),
                        connection(at + ".connection.", connection, ownConnection));
            }
        });
    }

    /** Returns how connections to the nodes of each shard are opened. */
    static Function<NodeId, ConnectionSettings> connections(ReactiveRouterProperties properties) {
        ConnectionSettings all = connection(properties.connection());
        Map<String, ConnectionSettings> own = new HashMap<>();
        properties.shards().forEach((name, configured) -> {
            ReactiveRouterProperties.ShardConnection different = configured.connection();
            if (different != null) {
                String at = PropertiesShardsConnectionDetails.SHARDS + "." + name + ".connection.";
                own.put(name, connection(at, all, different));
            }
        });
        return node -> own.getOrDefault(node.shard().value(), all);
    }

    static SchemaSettings schema(ReactiveRouterProperties.Schema schema) {
        SchemaSettings settings = SchemaSettings.DEFAULTS;
        settings = apply(SCHEMA + "locations", settings, schema.locations(), SchemaSettings::withLocations);
        settings = apply(SCHEMA + "concurrency", settings, schema.concurrency(), SchemaSettings::withConcurrency);
        settings = apply(SCHEMA + "turn-timeout", settings, schema.turnTimeout(), SchemaSettings::withTurnTimeout);
        settings = apply(SCHEMA + "lock-timeout", settings, schema.lockTimeout(), SchemaSettings::withLockTimeout);
        settings = apply(
                SCHEMA + "statement-timeout",
                settings,
                schema.statementTimeout(),
                SchemaSettings::withStatementTimeout);
        settings = apply(SCHEMA + "table", settings, schema.table(), SchemaSettings::withTable);
        return settings.withPlaceholders(schema.placeholders())
                .withSchemas(schema.schemas())
                .withBaseline(schema.baseline())
                .withIgnored(schema.ignored());
    }

    /** Not every shard of the properties is there: the application can bring its own. */
    private static ShardId known(String property, String name, List<Shard> shards) {
        List<ShardId> ids = shards.stream().map(Shard::id).toList();
        return ids.stream()
                .filter(id -> id.value().equals(name))
                .findFirst()
                .orElseThrow(() -> new InvalidRouterConfigurationException(
                        property,
                        "there is no shard \"" + name + "\"; the bean of type ShardsConnectionDetails has " + ids,
                        "Set it for one of " + ids + ", or take it out."));
    }

    static HealthSettings health(ReactiveRouterProperties.Health health) {
        HealthSettings settings = HealthSettings.DEFAULTS;
        settings = apply(HEALTH + "interval", settings, health.interval(), HealthSettings::withInterval);
        settings = apply(HEALTH + "timeout", settings, health.timeout(), HealthSettings::withTimeout);
        settings = apply(HEALTH + "failures", settings, health.failures(), HealthSettings::withFailures);
        return apply(HEALTH + "max-lag", settings, health.maxLag(), HealthSettings::withMaxLag);
    }

    static FailoverSettings failover(ReactiveRouterProperties.Failover failover) {
        FailoverSettings settings = apply(
                FAILOVER + "max-wait", FailoverSettings.DEFAULTS, failover.maxWait(), FailoverSettings::withMaxWait);
        return apply(FAILOVER + "max-waiting", settings, failover.maxWaiting(), FailoverSettings::withMaxWaiting);
    }

    static RetrySettings retry(ReactiveRouterProperties.Retry retry) {
        RetrySettings settings = RetrySettings.DEFAULTS;
        // The longest pause first: the first one is checked against it.
        settings = apply(RETRY + "max-backoff", settings, retry.maxBackoff(), ConfiguredSettings::withMaxBackoff);
        settings = apply(RETRY + "backoff", settings, retry.backoff(), RetrySettings::withBackoff);
        settings = apply(RETRY + "percent", settings, retry.percent(), RetrySettings::withPercent);
        return apply(RETRY + "per-second", settings, retry.perSecond(), RetrySettings::withPerSecond);
    }

    private static RetrySettings withMaxBackoff(RetrySettings settings, Duration longest) {
        boolean shorter = longest.compareTo(settings.backoff()) < 0;
        return (shorter ? settings.withBackoff(longest) : settings).withMaxBackoff(longest);
    }

    static ReadSettings reads(ReactiveRouterProperties.Reads reads) {
        ReadSettings settings =
                apply(READS + "catch-up", ReadSettings.DEFAULTS, reads.catchUp(), ReadSettings::withCatchUp);
        String region = reads.region();
        return region == null ? settings : apply(READS + "region", settings, region, ReadSettings::withRegion);
    }

    static ShardCluster.Builder callTimeout(ShardCluster.Builder builder, Duration timeout) {
        return apply(
                ReactiveRouterProperties.PREFIX + ".call-timeout", builder, timeout, ShardCluster.Builder::callTimeout);
    }

    static void name(ShardCluster.Builder builder, String name) {
        apply(ReactiveRouterProperties.PREFIX + ".name", builder, name, ShardCluster.Builder::name);
    }

    static void cursorKey(ShardCluster.Builder builder, String key) {
        apply(
                ReactiveRouterProperties.PREFIX + ".cursor-key",
                builder,
                key.getBytes(StandardCharsets.UTF_8),
                ShardCluster.Builder::cursorKey);
    }

    static int eventLoops(int loops) {
        if (loops < 1) {
            throw new InvalidRouterConfigurationException(
                    ReactiveRouterProperties.PREFIX + ".event-loops",
                    "it must be at least 1, was " + loops,
                    "Set it to 1 or more, or leave it out.");
        }
        return loops;
    }

    private static <S, V> S apply(String property, S settings, @Nullable V value, BiFunction<S, V, S> setter) {
        if (value == null) {
            return settings;
        }
        return InvalidRouterConfigurationException.check(
                property, "Set it to a value within that limit, or leave it out.", () -> setter.apply(settings, value));
    }
}
