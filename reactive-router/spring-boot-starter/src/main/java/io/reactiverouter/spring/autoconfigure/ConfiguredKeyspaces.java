package io.reactiverouter.spring.autoconfigure;

import static io.reactiverouter.spring.autoconfigure.InvalidRouterConfigurationException.check;

import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.strategy.StrategyFactory;
import java.util.Map;
import java.util.TreeMap;

/** Turns properties into keyspaces. */
final class ConfiguredKeyspaces {

    static final String KEYSPACES = ReactiveRouterProperties.PREFIX + ".keyspaces";

    private static final Map<String, StrategyFactory> STRATEGIES = new TreeMap<>(Map.of(
            "hash-slots", ShardingStrategy.hashSlots(),
            "modulo", ShardingStrategy.modulo()));

    private ConfiguredKeyspaces() {}

    static Keyspace keyspace(String name, ReactiveRouterProperties.Keyspace configured) {
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
        return keyspace.strategy(strategy(at, configured.strategy()));
    }

    private static Keyspace tables(String at, Keyspace keyspace, ReactiveRouterProperties.Keyspace configured) {
        return check(
                at + ".tables",
                "List every table once, by its plain name or as schema.table.",
                () -> keyspace.tables(configured.tables().toArray(String[]::new)));
    }

    private static StrategyFactory strategy(String at, String name) {
        StrategyFactory strategy = STRATEGIES.get(name);
        if (strategy == null) {
            throw new InvalidRouterConfigurationException(
                    at + ".strategy",
                    "strategy \"" + name + "\" is not known; known are " + STRATEGIES.keySet(),
                    "Set it to one of " + STRATEGIES.keySet() + ", leave it out for hash-slots, or define the keyspace"
                            + " as a bean of type Keyspace, which takes any strategy.");
        }
        return strategy;
    }
}
