package io.reactiverouter.routing;

import io.reactiverouter.strategy.ConsistentHash;
import io.reactiverouter.strategy.Directory;
import io.reactiverouter.strategy.Geographic;
import io.reactiverouter.strategy.HashSlots;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.Md5;
import io.reactiverouter.strategy.Modulo;
import io.reactiverouter.strategy.Ranges;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.topology.ShardId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.databind.JsonNode;

/** Reads what {@link PlacementJson} writes. Everything is checked, and an error says where in the document it is. */
final class PlacementJsonReader {

    private static final int MAX_ECHO = 500;

    private PlacementJsonReader() {}

    static Placement read(String json) {
        JsonNode root;
        try {
            root = PlacementJson.MAPPER.readTree(json);
        } catch (JacksonException e) {
            // Not there if a limit of the parser is exceeded, as by too many brackets.
            TokenStreamLocation location = e.getLocation();
            String place =
                    location == null ? "" : " at line " + location.getLineNr() + ", column " + location.getColumnNr();
            throw new IllegalArgumentException(
                    "placement is not valid JSON" + place + ": " + shortened(String.valueOf(e.getOriginalMessage())));
        }
        At document = new At(root, "");
        At version = document.field("version");
        long found = version.integer();
        if (found != PlacementJson.VERSION) {
            throw version.error("format version " + found + " is unknown, this library reads version "
                    + PlacementJson.VERSION
                    + "; it was written by another release");
        }
        document.onlyFields("version", "keyspace", "epoch", "strategy");
        At tables = document.field("keyspace");
        tables.onlyFields("name", "key", "regionColumn", "tables");
        ShardingStrategy strategy = strategy(document.field("strategy"));
        At epoch = document.field("epoch");
        return tables.build(at -> {
            Keyspace keyspace = Keyspace.named(at.field("name").text())
                    .key(at.field("key").text())
                    .tables(at.field("tables").list(At::text).toArray(String[]::new))
                    .strategy(strategy);
            if (at.has("regionColumn")) {
                keyspace = keyspace.regionColumn(at.field("regionColumn").text());
            }
            Keyspace complete = keyspace;
            return epoch.build(number -> new Placement(complete, strategy, number.integer()));
        });
    }

    private static ShardingStrategy strategy(At at) {
        At type = at.field("type");
        return switch (type.text()) {
            case "hash-slots" -> slots(at);
            case "modulo" -> {
                at.onlyFields("type", "shards");
                List<ShardId> shards = shards(at.field("shards"));
                yield at.build(checked -> Modulo.of(shards));
            }
            case "md5" -> {
                at.onlyFields("type", "shards");
                List<ShardId> shards = shards(at.field("shards"));
                yield at.build(checked -> Md5.of(shards));
            }
            case "consistent-hash" -> {
                at.onlyFields("type", "shards", "virtualNodes");
                Map<ShardId, Integer> weights = weights(at.field("shards"));
                int virtualNodes = at.field("virtualNodes").smallInteger();
                yield at.build(checked -> ConsistentHash.of(weights, virtualNodes));
            }
            case "ranges" -> {
                at.onlyFields("type", "ranges");
                List<Ranges.Range> ranges = at.field("ranges").list(PlacementJsonReader::range);
                yield at.build(checked -> Ranges.of(ranges));
            }
            case "geographic" -> geographic(at);
            case "directory" -> directory(at);
            default ->
                throw type.error("strategy \"" + type.text() + "\" is unknown; known are hash-slots, modulo, md5,"
                        + " consistent-hash, ranges, geographic and directory");
        };
    }

    private static HashSlots slots(At at) {
        at.onlyFields("type", "shards", "slots");
        Map<ShardId, Integer> weights = weights(at.field("shards"));
        @Nullable ShardId[] owners = new ShardId[HashSlots.SLOTS];
        at.field("slots").list(run -> {
            run.onlyFields("shard", "from", "to");
            ShardId shard = shard(run.field("shard"));
            int from = run.field("from").smallInteger();
            int to = run.field("to").smallInteger();
            if (from < 0 || from > to || to >= HashSlots.SLOTS) {
                throw run.error(
                        "slots must satisfy 0 <= from <= to < " + HashSlots.SLOTS + ", were " + from + " to " + to);
            }
            for (int slot = from; slot <= to; slot++) {
                if (owners[slot] != null) {
                    throw run.error("slot " + slot + " has the owner " + owners[slot] + " already");
                }
                owners[slot] = shard;
            }
            return run;
        });
        List<ShardId> all = new ArrayList<>();
        for (int slot = 0; slot < owners.length; slot++) {
            ShardId owner = owners[slot];
            if (owner == null) {
                throw at.field("slots").error("slot " + slot + " has no owner");
            }
            all.add(owner);
        }
        return at.build(checked -> HashSlots.of(weights, all));
    }

    private static Ranges.Range range(At at) {
        at.onlyFields("from", "to", "shard");
        ShardKey from = at.has("from") ? key(at.field("from")) : null;
        ShardKey to = at.has("to") ? key(at.field("to")) : null;
        ShardId shard = shard(at.field("shard"));
        return at.build(checked -> new Ranges.Range(from, to, shard));
    }

    private static Geographic geographic(At at) {
        at.onlyFields("type", "regions", "defaultRegion");
        Map<String, HashSlots> regions = new LinkedHashMap<>();
        at.field("regions").list(region -> {
            region.onlyFields("region", "placement");
            String name = region.field("region").text();
            At inside = region.field("placement");
            if (!(strategy(inside) instanceof HashSlots slots)) {
                throw inside.error("a region is placed by hash-slots only");
            }
            if (regions.put(name, slots) != null) {
                throw region.error("region \"" + name + "\" comes twice");
            }
            return region;
        });
        Geographic geographic = at.build(checked -> Geographic.of(regions));
        return at.has("defaultRegion")
                ? at.field("defaultRegion").build(name -> geographic.withDefaultRegion(name.text()))
                : geographic;
    }

    private static Directory directory(At at) {
        at.onlyFields("type", "pins", "rest");
        Map<ShardKey, ShardId> pins = new LinkedHashMap<>();
        at.field("pins").list(pin -> {
            pin.onlyFields("key", "shard");
            ShardKey key = key(pin.field("key"));
            if (pins.put(key, shard(pin.field("shard"))) != null) {
                throw pin.error("key " + key + " is pinned twice");
            }
            return pin;
        });
        ShardingStrategy rest = strategy(at.field("rest"));
        return at.field("pins").build(checked -> Directory.over(rest).withPins(pins));
    }

    private static Map<ShardId, Integer> weights(At at) {
        Map<ShardId, Integer> weights = new LinkedHashMap<>();
        at.list(each -> {
            each.onlyFields("shard", "weight");
            ShardId shard = shard(each.field("shard"));
            if (weights.put(shard, each.field("weight").smallInteger()) != null) {
                throw each.error("shard " + shard + " comes twice");
            }
            return each;
        });
        return weights;
    }

    private static List<ShardId> shards(At at) {
        return at.list(PlacementJsonReader::shard);
    }

    private static ShardId shard(At at) {
        return at.build(name -> ShardId.of(name.text()));
    }

    private static ShardKey key(At at) {
        if (at.has("region")) {
            at.onlyFields("region", "id");
            ShardKey id = key(at.field("id"));
            return at.build(checked -> ShardKey.inRegion(at.field("region").text(), id));
        }
        at.onlyFields("integer", "text", "uuid", "timestamp");
        if (at.node().size() != 1) {
            throw at.error("a key has one of the fields integer, text, uuid and timestamp");
        }
        return at.build(one -> {
            String form = one.node().propertyNames().iterator().next();
            String text = one.field(form).text();
            ShardKey key =
                    switch (form) {
                        case "integer" -> ShardKey.of(Long.parseLong(text));
                        case "text" -> ShardKey.of(text);
                        case "uuid" -> ShardKey.of(UUID.fromString(text));
                        default -> ShardKey.of(Instant.parse(text));
                    };
            // Java reads some forms that lose something on the way.
            if (!key.parameter().toString().equals(text)) {
                throw one.error("the key is written " + key.parameter() + ", was \"" + shortened(text) + "\"");
            }
            return key;
        });
    }

    private static String shortened(String text) {
        return text.length() <= MAX_ECHO ? text : text.substring(0, MAX_ECHO) + "...";
    }

    /**
     * A place in the document.
     *
     * @param path its JSON pointer (RFC 6901)
     */
    private record At(JsonNode node, String path) {

        boolean has(String field) {
            return node.has(field);
        }

        At field(String name) {
            if (!node.isObject()) {
                throw error("must be an object");
            }
            JsonNode value = node.get(name);
            if (value == null) {
                throw error("lacks the field \"" + name + "\"");
            }
            return new At(value, path + "/" + name);
        }

        void onlyFields(String... names) {
            if (!node.isObject()) {
                throw error("must be an object");
            }
            for (String name : node.propertyNames()) {
                if (!Arrays.asList(names).contains(name)) {
                    throw error("has the unknown field \"" + name + "\"; known are " + Arrays.toString(names));
                }
            }
        }

        <T> List<T> list(Function<At, T> element) {
            if (!node.isArray()) {
                throw error("must be an array");
            }
            List<T> list = new ArrayList<>();
            for (int i = 0; i < node.size(); i++) {
                list.add(element.apply(new At(node.get(i), path + "/" + i)));
            }
            return list;
        }

        String text() {
            if (!node.isString()) {
                throw error("must be a text");
            }
            return node.stringValue();
        }

        long integer() {
            if (!node.isIntegralNumber() || !node.canConvertToLong()) {
                throw error("must be a whole number of at most 64 bits");
            }
            return node.longValue();
        }

        int smallInteger() {
            if (!node.isIntegralNumber() || !node.canConvertToInt()) {
                throw error("must be a whole number of at most 32 bits");
            }
            return node.intValue();
        }

        /** Runs a constructor whose complaint then names this place. */
        <T> T build(Function<At, T> constructor) {
            try {
                return constructor.apply(this);
            } catch (CorruptException e) {
                throw e;
            } catch (RuntimeException e) {
                throw error(String.valueOf(e.getMessage()));
            }
        }

        IllegalArgumentException error(String what) {
            return new CorruptException(
                    "placement JSON at " + (path.isEmpty() ? "its root" : path) + ": " + shortened(what));
        }
    }

    /** Names its place already. */
    private static final class CorruptException extends IllegalArgumentException {

        private static final long serialVersionUID = 1L;

        CorruptException(String message) {
            super(message);
        }
    }
}
