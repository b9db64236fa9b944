package io.reactiverouter.spring.autoconfigure;

import static io.reactiverouter.spring.autoconfigure.InvalidRouterConfigurationException.check;

import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.StrategyFactory;
import io.reactiverouter.topology.ReadPreference;
import java.time.Duration;

/** Turns properties into keyspaces. */
final class ConfiguredKeyspaces {

    static final String KEYSPACES = ReactiveRouterProperties.PREFIX + ".keyspaces";

    private ConfiguredKeyspaces() {}

    static Keyspace keyspace(String name, ReactiveRouterProperties.Keyspace configured, SingleShard single) {
        String at = KEYSPACES + "." + name;
        Keyspace.Named named = check(at, "Give the keyspace another name.", () -> Keyspace.named(name));
        String key = configured.key();
        if (key == null || key.isBlank()) {
            throw new InvalidRouterConfigurationException(
                    at + ".key",
                    "it is not set",
                    "Set it to the column that decides on which shard a row lies, as in user_id.");
        }
        Keyspace keyspace = check(at + ".key", "Set it to the plain name of a column.", () -> named.key(key));
        keyspace = tables(at, keyspace, configured);
        StrategyFactory strategy = ConfiguredStrategy.of(at, configured, single);
        return reading(at, regionColumn(at, keyspace, configured).strategy(strategy), configured);
    }

    private static Keyspace reading(String at, Keyspace keyspace, ReactiveRouterProperties.Keyspace configured) {
        ReadPreference.From from = configured.readPreference();
        Duration maxLag = configured.maxLag();
        if (from == null) {
            if (maxLag != null) {
                throw new InvalidRouterConfigurationException(
                        at + ".max-lag",
                        "read-preference is not set, so that nothing is read from replicas",
                        "Set " + at + ".read-preference too, or leave out max-lag.");
            }
            return keyspace;
        }
        ReadPreference preference = ReadPreference.of(from);
        return keyspace.reading(
                maxLag == null
                        ? preference
                        : check(
                                at + ".max-lag",
                                "Set it to a time of zero or more, or leave it out.",
                                () -> preference.withMaxLag(maxLag)));
    }

    private static Keyspace tables(String at, Keyspace keyspace, ReactiveRouterProperties.Keyspace configured) {
        return check(
                at + ".tables",
                "List every table once, by its plain name or as schema.table.",
                () -> keyspace.tables(configured.tables().toArray(String[]::new)));
    }

    private static Keyspace regionColumn(String at, Keyspace keyspace, ReactiveRouterProperties.Keyspace configured) {
        String column = configured.regionColumn();
        return column == null
                ? keyspace
                : check(
                        at + ".region-column",
                        "Set it to the plain name of a column.",
                        () -> keyspace.regionColumn(column));
    }
}
