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
import java.util.List;
import java.util.Map;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Placements as JSON, in a format with a version. {@link PlacementJsonReader} reads it. */
final class PlacementJson {

    static final int VERSION = 1;

    static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private PlacementJson() {}

    static String write(Placement placement) {
        Keyspace keyspace = placement.keyspace();
        ObjectNode document = MAPPER.createObjectNode();
        document.put("version", VERSION);
        ObjectNode tables = document.putObject("keyspace");
        tables.put("name", keyspace.name());
        tables.put("key", keyspace.keyColumn());
        if (keyspace.regionColumn() != null) {
            tables.put("regionColumn", keyspace.regionColumn());
        }
        keyspace.tables().forEach(tables.putArray("tables")::add);
        document.put("epoch", placement.epoch());
        write(placement.strategy(), document.putObject("strategy"));
        return MAPPER.writeValueAsString(document);
    }

    private static void write(ShardingStrategy strategy, ObjectNode to) {
        if (strategy instanceof HashSlots slots) {
            to.put("type", "hash-slots");
            writeWeights(slots.weights(), to);
            ArrayNode runs = to.putArray("slots");
            List<ShardId> owners = slots.owners();
            for (int from = 0, next; from < owners.size(); from = next) {
                next = from + 1;
                while (next < owners.size() && owners.get(next).equals(owners.get(from))) {
                    next++;
                }
                runs.addObject()
                        .put("shard", owners.get(from).value())
                        .put("from", from)
                        .put("to", next - 1);
            }
        } else if (strategy instanceof Modulo) {
            to.put("type", "modulo");
            writeShards(strategy.shards(), to);
        } else if (strategy instanceof Md5) {
            to.put("type", "md5");
            writeShards(strategy.shards(), to);
        } else if (strategy instanceof ConsistentHash ring) {
            to.put("type", "consistent-hash");
            writeWeights(ring.weights(), to);
            to.put("virtualNodes", ring.virtualNodes());
        } else if (strategy instanceof Ranges ranges) {
            to.put("type", "ranges");
            ArrayNode list = to.putArray("ranges");
            for (Ranges.Range range : ranges.ranges()) {
                ObjectNode each = list.addObject().put("shard", range.shard().value());
                if (range.from() != null) {
                    write(range.from(), each.putObject("from"));
                }
                if (range.to() != null) {
                    write(range.to(), each.putObject("to"));
                }
            }
        } else if (strategy instanceof Geographic geographic) {
            to.put("type", "geographic");
            ArrayNode regions = to.putArray("regions");
            geographic.regions().forEach((region, slots) -> {
                ObjectNode each = regions.addObject().put("region", region);
                write(slots, each.putObject("placement"));
            });
            if (geographic.defaultRegion() != null) {
                to.put("defaultRegion", geographic.defaultRegion());
            }
        } else if (strategy instanceof Directory directory) {
            to.put("type", "directory");
            ArrayNode pins = to.putArray("pins");
            directory.pins().forEach((key, shard) -> {
                ObjectNode each = pins.addObject().put("shard", shard.value());
                write(key, each.putObject("key"));
            });
            write(directory.rest(), to.putObject("rest"));
        } else {
            throw new IllegalArgumentException("strategy " + strategy.getClass().getName()
                    + " has no JSON form; only the strategies of this library have one");
        }
    }

    private static void writeWeights(Map<ShardId, Integer> weights, ObjectNode to) {
        ArrayNode shards = to.putArray("shards");
        weights.forEach((shard, weight) ->
                shards.addObject().put("shard", shard.value()).put("weight", weight));
    }

    private static void writeShards(List<ShardId> shards, ObjectNode to) {
        ArrayNode names = to.putArray("shards");
        shards.forEach(shard -> names.add(shard.value()));
    }

    private static void write(ShardKey key, ObjectNode to) {
        if (key instanceof ShardKey.OfRegion located) {
            to.put("region", located.region());
            write(located.id(), to.putObject("id"));
        } else {
            // Text, since many readers of JSON cannot hold 64-bit numbers.
            to.put(name(key), key.parameter().toString());
        }
    }

    private static String name(ShardKey key) {
        return key instanceof ShardKey.OfLong
                ? "integer"
                : key instanceof ShardKey.OfText ? "text" : key instanceof ShardKey.OfUuid ? "uuid" : "timestamp";
    }
}
