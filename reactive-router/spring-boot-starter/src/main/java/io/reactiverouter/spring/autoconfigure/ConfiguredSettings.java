package io.reactiverouter.spring.autoconfigure;

import io.reactiverouter.ShardCluster;
import io.reactiverouter.connection.ConnectionSettings;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.failover.FailoverSettings;
import io.reactiverouter.failover.ReadSettings;
import io.reactiverouter.failover.RetrySettings;
import io.reactiverouter.health.HealthSettings;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.BiFunction;

/** Turns properties into the settings of the cluster, one by one, so that an error names its property. */
final class ConfiguredSettings {

    private static final String POOL = ReactiveRouterProperties.PREFIX + ".pool.";
    private static final String CONNECTION = ReactiveRouterProperties.PREFIX + ".connection.";

    private static final String HEALTH = ReactiveRouterProperties.PREFIX + ".health.";
    private static final String FAILOVER = ReactiveRouterProperties.PREFIX + ".failover.";
    private static final String RETRY = ReactiveRouterProperties.PREFIX + ".retry.";
    private static final String READS = ReactiveRouterProperties.PREFIX + ".reads.";

    private ConfiguredSettings() {}

    static PoolSettings pool(ReactiveRouterProperties.Pool pool) {
        PoolSettings settings = PoolSettings.DEFAULTS;
        // The largest size first: the smallest is checked against it.
        settings = apply(POOL + "max-size", settings, pool.maxSize(), PoolSettings::withMaxSize);
        settings = apply(POOL + "min-size", settings, pool.minSize(), PoolSettings::withMinSize);
        settings = apply(POOL + "max-pending", settings, pool.maxPending(), PoolSettings::withMaxPending);
        settings = apply(POOL + "acquire-timeout", settings, pool.acquireTimeout(), PoolSettings::withAcquireTimeout);
        settings = apply(POOL + "max-idle-time", settings, pool.maxIdleTime(), PoolSettings::withMaxIdleTime);
        return apply(POOL + "max-lifetime", settings, pool.maxLifetime(), PoolSettings::withMaxLifetime);
    }

    static ConnectionSettings connection(ReactiveRouterProperties.Connection connection) {
        ConnectionSettings settings = ConnectionSettings.DEFAULTS.withTls(connection.tls());
        settings = apply(
                CONNECTION + "connect-timeout",
                settings,
                connection.connectTimeout(),
                ConnectionSettings::withConnectTimeout);
        settings = apply(
                CONNECTION + "statement-timeout",
                settings,
                connection.statementTimeout(),
                ConnectionSettings::withStatementTimeout);
        return apply(
                CONNECTION + "application-name",
                settings,
                connection.applicationName(),
                ConnectionSettings::withApplicationName);
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

    private static <S, V> S apply(String property, S settings, V value, BiFunction<S, V, S> setter) {
        return InvalidRouterConfigurationException.check(
                property, "Set it to a value within that limit, or leave it out.", () -> setter.apply(settings, value));
    }
}
