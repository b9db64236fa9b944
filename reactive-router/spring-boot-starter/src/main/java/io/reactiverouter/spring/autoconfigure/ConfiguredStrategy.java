package io.reactiverouter.spring.autoconfigure;

import static io.reactiverouter.spring.autoconfigure.InvalidRouterConfigurationException.check;

import io.reactiverouter.strategy.ConsistentHash;
import io.reactiverouter.strategy.Geographic;
import io.reactiverouter.strategy.KeyType;
import io.reactiverouter.strategy.Ranges;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.strategy.StrategyFactory;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Turns the properties of a keyspace into its strategy. What they say by themselves is checked at once, what depends on the
 * shards when the cluster makes the strategy: shards may come from a bean. Both is before the application has started.
 */
final class ConfiguredStrategy {

    private static final String CONSISTENT_HASH = "consistent-hash";
    private static final String GEOGRAPHIC = "geographic";
    private static final String HASH_SLOTS = "hash-slots";
    private static final String MD5 = "md5";
    private static final String MODULO = "modulo";
    private static final String RANGES = "ranges";
    private static final List<String> KNOWN = List.of(CONSISTENT_HASH, GEOGRAPHIC, HASH_SLOTS, MD5, MODULO, RANGES);

    private static final Pattern PLAIN = Pattern.compile("[a-z0-9-]+");

    private final String at;
    private final ReactiveRouterProperties.Keyspace configured;
    private final KeyType keyType;

    /** The shards that properties name, by the property. */
    private final Map<String, ShardId> named = new LinkedHashMap<>();

    private ConfiguredStrategy(String at, ReactiveRouterProperties.Keyspace configured) {
        this.at = at;
        this.configured = configured;
        this.keyType = configured.keyType() == null ? KeyType.INTEGER : configured.keyType();
    }

    /** Returns the strategy of the keyspace whose properties begin with {@code at}. */
    static StrategyFactory of(String at, ReactiveRouterProperties.Keyspace configured, SingleShard single) {
        ConfiguredStrategy strategy = new ConfiguredStrategy(at, configured);
        StrategyFactory sharded = strategy.factory();
        return single.isSet() ? strategy.onOneShard() : sharded;
    }

    private StrategyFactory factory() {
        if (!KNOWN.contains(configured.strategy())) {
            throw new InvalidRouterConfigurationException(
                    at + ".strategy",
                    "strategy \"" + configured.strategy() + "\" is not known; known are " + KNOWN,
                    "Set it to one of " + KNOWN
                            + ", leave it out for hash-slots, or define the keyspace as a bean of type"
                            + " Keyspace, which takes any strategy.");
        }
        requireOwnProperties();
        requireKeyType();
        StrategyFactory strategy = withPins(strategy());
        return shards -> {
            requireKnown(shards);
            return strategy.create(shards);
        };
    }

    private StrategyFactory strategy() {
        return switch (configured.strategy()) {
            case CONSISTENT_HASH -> consistentHash();
            case GEOGRAPHIC -> geographic();
            case MD5 -> overAllShards(ShardingStrategy.md5());
            case MODULO -> overAllShards(ShardingStrategy.modulo());
            case RANGES -> ranges();
            default -> overAllShards(ShardingStrategy.hashSlots());
        };
    }

    /** Ranges and pins name other shards, and regions are elsewhere; what keys are refused stays the same but for those. */
    private StrategyFactory onOneShard() {
        return switch (configured.strategy()) {
            case GEOGRAPHIC ->
                shards -> {
                    shards.forEach(this::requireRegion);
                    return Geographic.over(shards)
                            .withDefaultRegion(
                                    Objects.requireNonNull(shards.get(0).region()));
                };
            case RANGES ->
                shards -> Ranges.fromTheLowest().andAbove(shards.get(0).id());
            default -> strategy();
        };
    }

    private void requireOwnProperties() {
        requireOwn("virtual-nodes", configured.virtualNodes() != null, CONSISTENT_HASH);
        requireOwn("region-column", configured.regionColumn() != null, GEOGRAPHIC);
        requireOwn("default-region", configured.defaultRegion() != null, GEOGRAPHIC);
        requireOwn("ranges", !configured.ranges().isEmpty(), RANGES);
    }

    private void requireOwn(String property, boolean set, String owner) {
        if (set && !configured.strategy().equals(owner)) {
            throw new InvalidRouterConfigurationException(
                    at + "." + property,
                    "it belongs to the strategy " + owner + ", and the strategy is " + configured.strategy(),
                    "Take it out, or set '" + at + ".strategy' to " + owner + ".");
        }
    }

    private void requireKeyType() {
        Set<KeyType> placed =
                switch (configured.strategy()) {
                    case MODULO -> EnumSet.of(KeyType.INTEGER);
                    case RANGES -> EnumSet.allOf(KeyType.class);
                    default -> EnumSet.of(KeyType.INTEGER, KeyType.TEXT, KeyType.UUID);
                };
        if (!placed.contains(keyType)) {
            List<String> names = placed.stream().map(ConfiguredStrategy::name).toList();
            throw new InvalidRouterConfigurationException(
                    at + ".key-type",
                    "the strategy " + configured.strategy() + " places no keys of type " + name(keyType),
                    "Set it to one of " + names + ", or choose another strategy.");
        }
    }

    private static String name(KeyType type) {
        return type.name().toLowerCase(Locale.ROOT);
    }

    private StrategyFactory overAllShards(StrategyFactory strategy) {
        return shards -> check(
                at + ".strategy", "Choose another strategy, or change the shards.", () -> strategy.create(shards));
    }

    private StrategyFactory consistentHash() {
        Integer set = configured.virtualNodes();
        int virtualNodes = set == null ? ConsistentHash.DEFAULT_VIRTUAL_NODES : set;
        return shards -> check(
                at + ".virtual-nodes",
                "Set it to 1 or more, or leave it out; many of them make even shares.",
                () -> ConsistentHash.over(shards, virtualNodes));
    }

    private StrategyFactory geographic() {
        String column = configured.regionColumn();
        if (column == null || column.isBlank()) {
            throw new InvalidRouterConfigurationException(
                    at + ".region-column",
                    "it is not set",
                    "Set it to the column that holds the region of each row, as in region.");
        }
        String defaultRegion = configured.defaultRegion();
        return shards -> {
            shards.forEach(this::requireRegion);
            Geographic regions = check(
                    at + ".strategy", "Choose another strategy, or change the shards.", () -> Geographic.over(shards));
            return defaultRegion == null
                    ? regions
                    : check(
                            at + ".default-region",
                            "Set it to the region of a shard, or leave it out.",
                            () -> regions.withDefaultRegion(defaultRegion));
        };
    }

    private void requireRegion(Shard shard) {
        String region = shard.region();
        if (region == null || region.isBlank()) {
            throw new InvalidRouterConfigurationException(
                    PropertiesShardsConnectionDetails.SHARDS + "." + shard.id() + ".region",
                    "it is not set, and '" + at + ".strategy' is " + GEOGRAPHIC,
                    "Set it to where the shard is, in the properties or in the bean of type ShardsConnectionDetails,"
                            + " or choose another strategy.");
        }
    }

    private StrategyFactory ranges() {
        if (configured.ranges().isEmpty()) {
            throw new InvalidRouterConfigurationException(
                    at + ".ranges",
                    "it is not set",
                    "Set the end and the shard of each range: ranges[0].to, ranges[0].shard, ranges[1].to and so on.");
        }
        List<Ranges.Range> ranges = new ArrayList<>();
        for (int i = 0; i < configured.ranges().size(); i++) {
            ranges.add(range(i, i == 0 ? null : ranges.get(i - 1)));
        }
        Ranges strategy = check(at + ".ranges", "Correct the ranges.", () -> Ranges.of(ranges));
        return shards -> strategy;
    }

    private Ranges.Range range(int index, Ranges.@Nullable Range before) {
        ReactiveRouterProperties.Range range = configured.ranges().get(index);
        String here = at + ".ranges[" + index + "]";
        if (before != null && before.to() == null) {
            throw new InvalidRouterConfigurationException(
                    at + ".ranges[" + (index - 1) + "].to",
                    "it is not set, and yet another range follows",
                    "Set it to the first key above the range; only the last range can be without.");
        }
        ShardId shard = shard(here + ".shard", range.shard());
        ShardKey begin = before == null ? null : before.to();
        ShardKey from = end(here + ".from", range.from(), begin);
        ShardKey to = end(here + ".to", range.to(), null);
        Ranges.Range read = check(
                here + ".to", "Set it to a key above the range's first.", () -> new Ranges.Range(from, to, shard));
        if (before != null) {
            check(
                    here + ".from",
                    "Leave it out: a range begins where the one before ends.",
                    () -> Ranges.of(List.of(before, read)));
        }
        return read;
    }

    private @Nullable ShardKey end(String property, @Nullable String text, @Nullable ShardKey unset) {
        if (text != null && text.isEmpty()) {
            throw new InvalidRouterConfigurationException(
                    property, "it is empty", "Set it to a key, or leave it out: a range without is open.");
        }
        return text == null ? unset : ConfiguredKeys.key(property, keyType, text);
    }

    private StrategyFactory withPins(StrategyFactory rest) {
        if (configured.pins().isEmpty()) {
            return rest;
        }
        Map<ShardKey, String> properties = new LinkedHashMap<>();
        Map<ShardKey, ShardId> pins = new LinkedHashMap<>();
        configured.pins().entrySet().stream()
                .sorted(Map.Entry.comparingByKey(NameOrder.NATURAL))
                .forEach(pin -> {
                    String property = at + ".pins" + element(pin.getKey());
                    ShardKey key = pinned(property, pin.getKey());
                    String other = properties.put(key, property);
                    if (other != null) {
                        throw new InvalidRouterConfigurationException(
                                property, "'" + other + "' pins the same key " + key, "Keep one of them.");
                    }
                    pins.put(key, shard(property, pin.getValue()));
                });
        return shards -> {
            ShardingStrategy strategy = rest.create(shards);
            properties.forEach((key, property) -> requireRoutable(property, key, strategy));
            return check(
                    at + ".pins",
                    "Take some out.",
                    () -> ShardingStrategy.directory(known -> strategy, pins).create(shards));
        };
    }

    private static String element(String key) {
        return PLAIN.matcher(key).matches() ? "." + key : "[" + key + "]";
    }

    private ShardKey pinned(String property, String text) {
        if (!configured.strategy().equals(GEOGRAPHIC)) {
            return ConfiguredKeys.key(property, keyType, text);
        }
        int slash = text.indexOf('/');
        if (slash < 1) {
            throw new InvalidRouterConfigurationException(
                    property,
                    "its key has no region, and '" + at + ".strategy' is " + GEOGRAPHIC,
                    "Write the region before the key, as in pins[eu/42].");
        }
        return ShardKey.inRegion(
                text.substring(0, slash), ConfiguredKeys.key(property, keyType, text.substring(slash + 1)));
    }

    /** A key that the strategy would not take anyway is a slip of the pen, as a region that no shard is in. */
    private static void requireRoutable(String property, ShardKey key, ShardingStrategy strategy) {
        if (key instanceof ShardKey.OfRegion) {
            check(property, "Correct the region of the key, or set a default region.", () -> strategy.locate(key));
        }
    }

    private ShardId shard(String property, @Nullable String name) {
        if (name == null || name.isBlank()) {
            throw new InvalidRouterConfigurationException(property, "it is not set", "Set it to the name of a shard.");
        }
        ShardId shard = check(property, "Set it to the name of a shard.", () -> ShardId.of(name));
        named.put(property, shard);
        return shard;
    }

    private void requireKnown(List<Shard> shards) {
        List<ShardId> known = shards.stream().map(Shard::id).toList();
        named.forEach((property, shard) -> {
            if (!known.contains(shard)) {
                throw new InvalidRouterConfigurationException(
                        property,
                        "there is no shard \"" + shard + "\"; known are " + known,
                        "Set it to one of " + known + ".");
            }
        });
    }
}
